"""The verdicts on an objective, and the minimum of samples for one on a percentile."""

from __future__ import annotations

from typing import Literal

Verdict = Literal["met", "missed", "unclear", "no_data"]
"""``unclear``: the 95 % interval of the value contains the limit; ``no_data``: nothing that
decides was measured."""

MIN_TAIL_SAMPLES = 10
"""Samples that must lie beyond a percentile before it is graded, judged or given an interval.

Of n samples, n (1 - p) lie beyond percentile p: the 99th percentile takes 1000 samples. With ten
in the tail, the share beyond is known to about a third (1 / sqrt(10)); with fewer, one slow
workflow more or less moves the percentile.
"""
