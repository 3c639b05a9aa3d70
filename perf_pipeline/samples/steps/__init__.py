"""Steps and counts of workflows: as workers store them, and as they are read back."""
