"""Commands about what is worse than it was."""
