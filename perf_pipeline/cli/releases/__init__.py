"""The commands about releases of a target."""
