"""Files of rollouts as other programs write them, read into problems with their groups."""
