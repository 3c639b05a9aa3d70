"""Real loads that selftests measure."""
