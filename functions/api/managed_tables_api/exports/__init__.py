"""Exports as they are asked for and shown."""
