"""Closed levels with names and bounds of their own."""
