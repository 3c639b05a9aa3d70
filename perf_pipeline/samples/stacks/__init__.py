"""Sampled call stacks, and the windows of time in which they were sampled."""
