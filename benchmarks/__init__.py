"""Measurements: `python -m benchmarks [--small] [section …]`, one table a section."""
