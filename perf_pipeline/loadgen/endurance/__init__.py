"""A campaign of hours on a target that outlives each of them: its keeper, and the hours."""
