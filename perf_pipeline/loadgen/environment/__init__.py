"""The environment of a target: an interpreter with locked packages of its own."""
