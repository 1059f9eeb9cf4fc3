"""Undo loads: keep what is needed for it in the company's database, and take the rows back."""
