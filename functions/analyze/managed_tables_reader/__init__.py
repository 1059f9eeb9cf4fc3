"""Read files of every kind as tables of text: what the rows are, and how that was decided."""
