"""Interleaved comparisons: which arms, which load, and when they end."""
