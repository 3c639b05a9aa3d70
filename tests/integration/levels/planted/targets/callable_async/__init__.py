"""A runtime with a queue."""
