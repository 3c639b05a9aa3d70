"""The page of a differential profile."""
