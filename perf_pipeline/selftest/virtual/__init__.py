"""Queues in virtual time, whose truth is known by calculation."""
