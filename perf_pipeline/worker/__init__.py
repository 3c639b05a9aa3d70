"""The process that is measured: plays its share of the plan and records what happened.

Imported in the target's process: standard library only.
"""
