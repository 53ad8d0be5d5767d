"""Benchmarks: ``python -m benchmarks`` prints its table and keeps it in docs/benchmarks.md."""
