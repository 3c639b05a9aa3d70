"""The objects of a result file as one side of a comparison, and what they carry for that.

An object has ``conditions`` and ``observations``, so that a file compares as well as the run that
it is of. What an earlier version wrote has neither: its metrics are read under the names that users
know, and its conditions are not known.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING, Any, get_args

from perf_pipeline.analysis.comparison.conditions import conditions_of
from perf_pipeline.analysis.comparison.measured_level import measured_level
from perf_pipeline.analysis.comparison.observation import Observation
from perf_pipeline.analysis.comparison.side import MeasuredLevel, Side
from perf_pipeline.metrics.types.validity import Validity

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from perf_pipeline.analysis.comparison.side import Conditions, MetricKey
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.samples.manifest import Manifest

Entry = Mapping[str, Any]

_KNOWN_NAMES = {
    "throughput_per_s": "throughput",
    "avg_s": "avg_latency",
    "p50_s": "p50_latency",
    "p90_s": "p90_latency",
    "p95_s": "p95_latency",
    "p99_s": "p99_latency",
    "memory_peak_mb": "peak_memory_mb",
    "error_ratio": "error_rate",
}
_NORMAL_975 = 1.959964
_NOT_SAID = "the file does not say whether it is a measurement"


def comparison_fields(manifest: Manifest, level: LevelMetrics) -> dict[str, Any]:
    """Return what the object of a level in a result file carries for comparisons."""
    measured = measured_level(manifest.run_id, level)
    return {
        "label": level.label,
        "is_open": measured.is_open,
        "bottleneck": measured.bottleneck,
        "conditions": conditions_of(manifest, [level]),
        "observations": [
            {"metric": metric, "family": family, **asdict(one)}
            for (metric, family), one in measured.observations.items()
        ],
    }


def side_of_entries(name: str, entries: Sequence[Entry]) -> Side:
    """Return the objects of a result file as one side.

    Args:
        name: What the side is called.
        entries: One a level and repeat; not empty.
    """
    first = entries[0]
    return Side(
        name=name,
        scenario=str(first.get("scenario", "")),
        target=str(first.get("target", "")),
        levels=tuple(_level(entry) for entry in entries),
        conditions=tuple(conditions_in(entry) for entry in entries),
    )


def conditions_in(entry: Entry) -> Conditions:
    """Return the conditions that an object carries; empty of an earlier version."""
    found = entry.get("conditions")
    if not isinstance(found, Mapping):
        return {}
    return {
        str(name): {str(part): str(value) for part, value in parts.items()}
        for name, parts in found.items()
        if isinstance(parts, Mapping)
    }


def label_of(entry: Entry) -> str:
    """Return the label of an object's level."""
    return str(entry.get("label") or entry.get("concurrency", ""))


def _level(entry: Entry) -> MeasuredLevel:
    validity: Any = entry.get("validity")
    is_said = validity in get_args(Validity)
    return MeasuredLevel(
        run_id=str(entry.get("run_id", "")),
        label=label_of(entry),
        validity=validity if is_said else "incomplete",
        is_open=bool(entry.get("is_open") or entry.get("open_loop")),
        observations=_observations(entry),
        reasons=tuple(map(str, entry.get("reasons") or ())) if is_said else (_NOT_SAID,),
        bottleneck=str(entry.get("bottleneck") or ""),
    )


def _observations(entry: Entry) -> dict[MetricKey, Observation]:
    stored = entry.get("observations")
    if isinstance(stored, Sequence) and not isinstance(stored, str):
        return {
            (str(one["metric"]), str(one["family"])): _adapter().validate_python(
                {name: value for name, value in one.items() if name not in {"metric", "family"}}
            )
            for one in stored
        }
    return {
        (metric, ""): _of_known_name(entry, metric, field)
        for metric, field in _KNOWN_NAMES.items()
        if field in entry
    }


@cache
def _adapter() -> TypeAdapter[Observation]:
    from pydantic import TypeAdapter  # noqa: PLC0415 - 50 ms that only readers pay

    return TypeAdapter(Observation)


def _of_known_name(entry: Entry, metric: str, field: str) -> Observation:
    validity = entry.get("validity")
    samples = int(entry.get("samples") or entry.get("total_workflows") or 0)
    value = entry.get(field)
    fails = metric == "error_ratio" and validity == "target_failed"
    if not isinstance(value, int | float) or not math.isfinite(value):
        return Observation(1.0, samples=1) if fails else Observation(None, why_not="not measured")
    if validity != "valid" and not fails:
        return Observation(None, why_not=f"it is {validity}" if validity else _NOT_SAID)
    if field in (entry.get("samples_needed") or {}):
        return Observation(None, why_not="too few samples lie beyond it")
    if metric == "error_ratio":
        return Observation(value / 100, samples=samples)
    spread = 0.0 if metric == "memory_peak_mb" else _spread(entry, field, samples)
    return Observation(
        float(value), spread, samples, field in (entry.get("latency_at_least") or ())
    )


def _spread(entry: Entry, field: str, samples: int) -> float:
    ends = (entry.get("intervals") or {}).get("throughput" if field == "avg_latency" else field)
    if ends and ends[0] and ends[1] and 0 < ends[0] < ends[1]:
        return math.log(ends[1] / ends[0]) / (2 * _NORMAL_975)
    return 1 / math.sqrt(samples) if samples else 0.0
