"""Finds, starts, watches, records and stops the servers of any service."""
