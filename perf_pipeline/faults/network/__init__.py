"""What network failures share: the path through the proxy, and the direct one beside it."""
