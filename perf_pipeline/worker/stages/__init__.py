"""Closed loops of which only so many slots play as the current stage allows."""
