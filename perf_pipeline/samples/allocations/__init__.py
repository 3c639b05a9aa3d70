"""The heap of a traced worker process at equal amounts of work."""
