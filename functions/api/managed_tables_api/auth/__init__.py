"""Who calls, and what they may do: tokens, the keys that sign them, permissions."""
