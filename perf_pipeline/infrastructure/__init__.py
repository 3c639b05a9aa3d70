"""Servers: where each comes from, start, wait until ready, seed, stop; facts about the host."""
