"""Commands that judge measurements against earlier ones and start no load."""
