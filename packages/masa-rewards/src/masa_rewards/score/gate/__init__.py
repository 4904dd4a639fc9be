"""What a gate would save on a file: groups without variance, and who foresaw them."""
