"""The documents of a job, typed: one definition for who writes, reads and answers them."""
