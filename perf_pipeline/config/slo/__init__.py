"""Service level objectives as data."""
