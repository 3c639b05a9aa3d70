"""Regressions in Dagster: the comparison of two sides of runs, and alerts."""
