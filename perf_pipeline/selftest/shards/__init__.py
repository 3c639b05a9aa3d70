"""Shards equal one host bit for bit, start within 50 ms, and a thousand merge within a minute."""

from perf_pipeline.selftest.shards.truths import run

__all__ = ["run"]
