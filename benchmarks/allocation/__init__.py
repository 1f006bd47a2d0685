"""Proposals beside what people use: ``python -m benchmarks.allocation``."""
