"""Real failures: injected, proven to be in effect, undone whoever dies."""
