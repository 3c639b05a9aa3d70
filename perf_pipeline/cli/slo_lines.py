"""The verdicts on SLOs, for a terminal and for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.metrics.types.slo_verdict import SloVerdict


def slo_lines(verdicts: Sequence[SloVerdict]) -> list[str]:
    """Return a line for each verdict, those that are met last."""
    order = ("missed", "unclear", "no_data", "met")
    return [
        f"SLO {one.verdict.replace('_', ' ')} at {one.level} ({one.validity}): {one.slo.text}: "
        f"{one.why}"
        for one in sorted(verdicts, key=lambda one: order.index(one.verdict))
    ]


def slo_entry(verdict: SloVerdict) -> dict[str, Any]:
    """Return a verdict for ``--json``: all of it, and the objective as a text."""
    return {**asdict(verdict), "slo": verdict.slo.text, "objective": asdict(verdict.slo)}
