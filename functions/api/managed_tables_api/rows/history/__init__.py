"""What became of rows: their history, the trash, and where they come from."""
