"""The command `managed-tables`: tables, uploads, exports and undo in a terminal, by the public API."""
