"""Time to recover, lost service and metastable are those of a service with a known failure."""

from perf_pipeline.selftest.recovery.truths import run

__all__ = ["run"]
