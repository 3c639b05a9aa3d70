"""Releases of the target as partitions: each is measured by one small scenario."""
