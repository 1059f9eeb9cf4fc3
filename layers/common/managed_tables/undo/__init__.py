"""Keep in the company's database what is needed to undo loads, and drop it in time."""
