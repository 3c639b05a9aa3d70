"""The environment of a target: an interpreter with its own locked packages."""
