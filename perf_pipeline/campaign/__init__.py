"""Plays the hours of an endurance campaign."""
