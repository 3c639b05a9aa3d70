"""Adapter of the target `http`: requests to a server behind HTTP."""
