"""Requests to a server behind HTTP, as a scenario has them."""
