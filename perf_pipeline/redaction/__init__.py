"""Removes passwords from every text that is stored or shown."""
