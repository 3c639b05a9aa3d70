"""When a load level is in steady state."""
