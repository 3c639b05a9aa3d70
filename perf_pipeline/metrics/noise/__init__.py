"""Whether other programs used the machine during a load level."""
