"""Scenarios as data: their keys, their checks, and the files they are read from."""
