"""Says in sentences which places of a target's code grew."""
