"""kailash's LocalRuntime as a target: its adapter, its workflows, its locked packages."""
