"""Alerts: one for the first bad run, sent to where people look, and quiet until it moves again."""
