"""Shelf: a small store of keys and values on loopback, as a fifth service for tests."""
