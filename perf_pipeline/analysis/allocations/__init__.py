"""Which places of a target's code grow with the work."""
