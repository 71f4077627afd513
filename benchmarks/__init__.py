"""Ratios, not seconds: ``python -m benchmarks`` prints one table in one run."""
