"""Scenarios as data, and the settings of this machine."""
