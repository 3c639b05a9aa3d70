"""Servers that are containers of a running Compose stack."""
