"""How a command executes a job, and what becomes of Dagster runs whose process was killed."""
