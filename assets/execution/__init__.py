"""How a command executes a job."""
