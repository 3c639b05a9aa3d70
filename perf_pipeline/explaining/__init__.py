"""Explains a comparison by short extra levels of both sides, whose stacks are sampled.

The levels have the role ``explain``. They are played in a temporary folder, which is removed: no
run, metric, verdict, history or baseline knows of them.
"""
