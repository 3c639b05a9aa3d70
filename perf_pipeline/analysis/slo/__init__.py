"""Judges service level objectives."""
