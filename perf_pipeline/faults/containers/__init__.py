"""Failures of a server's container, made by its Docker engine."""
