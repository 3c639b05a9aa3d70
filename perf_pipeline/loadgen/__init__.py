"""Plans, target environments, and the supervision of the worker processes that play the plans."""
