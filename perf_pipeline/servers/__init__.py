"""Servers of a run: one folder a service, and the life of a server from start to end."""
