"""Supervision of the worker processes that play a load level."""
