"""Measurements beside the tests: `python -m benchmarks.NAME`."""
