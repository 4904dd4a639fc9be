"""One problem in one step: predictions, plan, solutions, rewards."""
