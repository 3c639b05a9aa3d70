"""The history of a scenario on a target as a page and tables."""
