"""Adapter of the target `callable`: functions of the user's own."""
