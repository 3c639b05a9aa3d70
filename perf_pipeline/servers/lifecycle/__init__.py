"""Resolve, start, watch, note and stop servers, whatever the service."""
