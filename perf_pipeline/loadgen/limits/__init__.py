"""Limits on what the workers of a level may use: a control group where one can be made, else us."""
