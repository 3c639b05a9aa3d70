"""One run on several hosts: each plays a share of the plan's worker processes."""
