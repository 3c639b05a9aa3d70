"""Which functions the CPU time of a workflow goes to, and how that moved between two sides."""
