"""Failures as data: what a scenario may ask for, and when."""
