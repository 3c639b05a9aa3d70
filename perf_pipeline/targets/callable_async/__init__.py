"""Adapter of the target `callable_async`: functions of the user's own."""
