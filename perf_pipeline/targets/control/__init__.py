"""The control target: the same work without a runtime."""
