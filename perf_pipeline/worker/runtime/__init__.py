"""A user's own runtime in a worker process: its setup and teardown, and a trial of it."""
