"""What executes a workflow: one folder a target, with its adapter and its locked packages.

Imported in the target's process: the standard library and the target alone.
"""
