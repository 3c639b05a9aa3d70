"""What the UI and a terminal are shown of a run."""
