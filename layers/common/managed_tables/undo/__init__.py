"""Taking a load back: what is kept for it in the company's database, and how it is undone."""
