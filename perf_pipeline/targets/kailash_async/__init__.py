"""kailash's AsyncLocalRuntime, one a process, with the workflows of the kailash target."""
