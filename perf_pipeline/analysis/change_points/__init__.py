"""Finds where the level of a metric changed in its history, and whether it drifts."""
