"""Benchmarks of the engine itself: too long and too noise-sensitive to be tests."""
