"""What an upload may hold, and how its lines are found again."""
