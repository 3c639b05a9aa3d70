"""Group endurance: a target that lives across hours, its hours, their trend and report."""
