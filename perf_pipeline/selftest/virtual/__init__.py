"""Queues in virtual time, of which the truth is known by calculation."""
