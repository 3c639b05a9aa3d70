"""Workflows of known behaviour, which the target ``callable`` calls.

Imported in the target's process: standard library only.
"""
