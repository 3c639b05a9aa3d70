"""The names of the framework that this project replaces, thin over the same engine."""
