"""Levels that are stages of one load share the files of their workers."""
