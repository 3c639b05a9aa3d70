"""The fields of the launchpad."""
