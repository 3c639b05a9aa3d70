"""What one workflow does: the families as plain functions, their data, the check of results.

Imported in the target's process: standard library only.
"""
