"""Limits on the workers of a level: a control group where one can be made, else a watchdog."""
