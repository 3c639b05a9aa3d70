"""The asynchronous control target: the same work on an event loop, without a runtime."""
