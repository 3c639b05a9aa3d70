"""What the flags of the commands change in a scenario."""
