"""Traces the allocations of a worker process, and snapshots its heap at equal amounts of work."""
