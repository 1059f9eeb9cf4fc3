"""Analyze files: bytes in, staged object and inferred schema out; `handler` alone knows AWS."""
