"""What readers are shown of problems and predictions, on the stack."""
