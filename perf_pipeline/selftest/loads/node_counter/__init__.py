"""A folder that makes a worker count the nodes that kailash executes in it."""
