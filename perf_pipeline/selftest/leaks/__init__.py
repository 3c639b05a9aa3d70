"""Leaks are found in signals of known truth, and what only looks like one is never called a leak.

Simulated are signals of a day, sampled every 5 s. Without a leak they have one of the shapes that
healthy runs show; a leak is a straight growth on top of one, as a share of the level in 24 h.
"""

from perf_pipeline.selftest.leaks.claims import run as run
