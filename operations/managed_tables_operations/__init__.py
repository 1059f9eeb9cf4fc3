"""What an operator does to a running deployment; not part of any function."""
