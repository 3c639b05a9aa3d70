"""Decides which of the suspected causes limits a level; the package's docstring has the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.analysis.bottleneck.cores import suspects_of_cores, taken_by_others
from perf_pipeline.analysis.bottleneck.evidence import (
    BUSY,
    HALF,
    TENTH,
    Key,
    Suspect,
    amount,
    percent,
)
from perf_pipeline.analysis.bottleneck.rates import level_use
from perf_pipeline.analysis.bottleneck.waits import suspects_of_waits
from perf_pipeline.metrics.types.bottleneck import Bottleneck, Evidence

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from perf_pipeline.analysis.bottleneck.use import LevelUse
    from perf_pipeline.metrics.records.in_flight import InFlightCurve
    from perf_pipeline.metrics.types.records import InFlight
    from perf_pipeline.metrics.types.resource_use import Resources
    from perf_pipeline.samples.level_records import LevelRecords

_BEHIND_GATES: frozenset[Key] = frozenset({"connection_pool", "runtime_queue", "server_slow"})
EXPLAINS: Mapping[Key, frozenset[Key]] = {
    "gaps": frozenset({"cpu", "cpu_limit", "interpreter_lock", *_BEHIND_GATES}),
    "harness": frozenset({"cpu", *_BEHIND_GATES}),
    "server_cpu": frozenset({"cpu", "cpu_limit", *_BEHIND_GATES}),
    "server_locks": _BEHIND_GATES,
    "cpu_limit": frozenset({"cpu", "harness", *_BEHIND_GATES}),
    "cpu_quota": frozenset({"cpu", "cpu_limit", "harness", "server_cpu", *_BEHIND_GATES}),
    "cpu": _BEHIND_GATES,
    "disk": _BEHIND_GATES,
    "connection_pool": frozenset({"runtime_queue"}),
}
"""What follows from a cause: where the cause holds, it is the bottleneck and they are not."""

_NAMED_MAX = 4
"""Missing figures that a sentence names; the evidence has all of them."""


def bottleneck_of(
    samples: Sequence[dict[str, object]],
    records: LevelRecords,
    curve: InFlightCurve,
    in_flight: InFlight,
    window: tuple[int, int],
    *,
    resources: Resources,
    connection_limits: Mapping[str, int],
    thinks: bool = False,
) -> Bottleneck:
    """Find what limits a level.

    Args:
        samples: The monitor's lines of the steady phase.
        records: Records and log of the level.
        curve: Number of workflows in flight over time.
        in_flight: Summary of it, with what sampled threads were doing.
        window: Steady phase of the level, CLOCK_MONOTONIC ns; of no length if there was none.
        resources: What the processes and the machine used during it.
        connection_limits: Server to the maximum of connections that the pools of all workers allow.
        thinks: Slots of the level are users, who think between two workflows.
    """
    if window[1] <= window[0]:
        return Bottleneck("unclear", "There was no steady phase to look at.", ())
    plan = records.log["plan"]
    limit_percent = (plan.get("limits") or {}).get("cpu_percent")
    use = level_use(
        samples,
        in_flight,
        mean_in_flight=float(curve.means(np.array(window, dtype=np.int64))[0]),
        at_once=_at_once(records),
        workers=len(records.workers),
        limits=connection_limits,
        host=resources.host,
        others_cores=resources.others.cores,
        cpu_limit_cores=None if limit_percent is None else limit_percent / 100,
        slots=plan["concurrency"] if plan.get("loop") == "open" else None,
        thinks=thinks,
        sends_requests=plan["target"].startswith("http"),
    )
    return judge(use)


def judge(use: LevelUse) -> Bottleneck:
    """Decide among the causes; two of similar strength, or a gap in the evidence, are unclear."""
    suspects = [*suspects_of_cores(use), *suspects_of_waits(use)]
    true = [suspect for suspect in suspects if suspect.holds]
    left = [s for s in true if not any(_explains(other, s) for other in true)]
    if len({(suspect.verdict, suspect.subject) for suspect in left}) > 1:
        both = " and ".join(dict.fromkeys(suspect.cause for suspect in left))
        return _unclear(f"{both} hold at the same time.", left, suspects, use)
    if left:
        found = left[0]
        unknown = [s for s in suspects if s.holds is None and _explains(s, found)]
        if unknown:
            why = f"It looks like {found.cause}, but something behind it is not ruled out. "
            return _unclear(why + _missing(unknown), [found], suspects, use)
        return Bottleneck(found.verdict, found.why, _evidence([found], suspects, use))
    unknown = [suspect for suspect in suspects if suspect.holds is None]
    if unknown:
        why = f"No cause holds.{_where_time_went(use)} {_missing(unknown)}"
        return _unclear(why, unknown, suspects, use)
    nearest = max(suspects, key=_strength)
    near = f"Nearest is {nearest.cause}: {_against(nearest)}"
    if _strength(nearest) < HALF:
        near = "None reaches half of what it would need."
    why = f"No cause holds.{_where_time_went(use)} {near}"
    return _unclear(why, [nearest], suspects, use)


def _explains(cause: Suspect, other: Suspect) -> bool:
    return other.key in EXPLAINS.get(cause.key, frozenset())


def _unclear(
    why: str, first: Sequence[Suspect], suspects: Sequence[Suspect], use: LevelUse
) -> Bottleneck:
    return Bottleneck("unclear", why, _evidence(first, suspects, use))


def _missing(unknown: Sequence[Suspect]) -> str:
    lacking = [e for s in unknown for e in s.evidence if e.holds is None]
    names = list(dict.fromkeys(each.what for each in lacking))
    more = f" and {len(names) - _NAMED_MAX} more" if len(names) > _NAMED_MAX else ""
    return f"Not measured: {'; '.join(names[:_NAMED_MAX])}{more}."


def _strength(suspect: Suspect) -> float:
    """How near a cause is to holding: of all its needs, the one that falls shortest; 1 is there."""
    return min(_reached(each) for each in suspect.evidence)


def _reached(evidence: Evidence) -> float:
    if evidence.holds:
        return 1.0
    if evidence.value is None:
        return 0.0
    if evidence.minimum:
        return min(evidence.value / evidence.minimum, 1.0)
    return (
        min(evidence.maximum / evidence.value, 1.0) if evidence.maximum and evidence.value else 0.0
    )


def _against(suspect: Suspect) -> str:
    """Return the evidence that contradicts a cause, as text."""
    failing = [each for each in suspect.evidence if each.holds is False]
    return "; ".join(f"{e.what}: {amount(e.value)} {e.unit} ({_bounds(e)})" for e in failing) + "."


def _bounds(evidence: Evidence) -> str:
    bounds = [("at least", evidence.minimum), ("at most", evidence.maximum)]
    return ", ".join(f"{name} {amount(bound)}" for name, bound in bounds if bound is not None)


def _where_time_went(use: LevelUse) -> str:
    """Return what workflows seem to wait for, slots in use, and other use of the cores, as text."""
    return f"{_thinking(use)}{_unobserved(use)}{_all_slots(use)}{taken_by_others(use)}"


def _thinking(use: LevelUse) -> str:
    """Return a sentence on users who think, which limits a level without being a fault."""
    if not use.thinks:
        return ""
    return f" {amount(use.wanted - use.in_flight)} of {use.wanted} users were thinking on average."


def _unobserved(use: LevelUse) -> str:
    """Return a sentence on unobserved waits, if most workflows in the runtime are in one."""
    share, cores = use.share("runtime"), use.target_cores
    on_cores = use.wanted_cores if use.wanted_cores is not None else cores
    if share is None or cores is None or on_cores is None:
        return ""
    waiting = share * use.in_flight - on_cores
    if waiting < max(on_cores, TENTH * use.in_flight):
        return ""
    if use.sends_requests:
        return (
            f" {amount(waiting)} of {amount(use.in_flight)} requests waited for the answer of the "
            f"server; the workers that send them used {amount(cores)} cores."
        )
    # a thread that waits for a core with the interpreter lock holds up all the others
    locked = "; or the interpreter lock" if on_cores >= BUSY * use.workers else ""
    return (
        f" {amount(waiting)} of {amount(use.in_flight)} workflows waited for something that nobody "
        f"observed (a sleep, a lock, a service of their own{locked}): they were in the runtime, "
        f"whose workers used {amount(cores)} cores."
    )


def _all_slots(use: LevelUse) -> str:
    """Return a sentence on arrivals without a free slot, if an open level used its slots."""
    if use.slots is None or use.in_flight < BUSY * use.slots:
        return ""
    return (
        f" {amount(use.in_flight)} of {use.slots} slots were in use on average, so arrivals waited "
        "for one: more slots let more workflows wait at once."
    )


def _evidence(
    first: Sequence[Suspect], suspects: Sequence[Suspect], use: LevelUse
) -> tuple[Evidence, ...]:
    rest = [suspect for suspect in suspects if suspect not in first]
    return (*(e for suspect in (*first, *rest) for e in suspect.evidence), *_background(use))


def _background(use: LevelUse) -> Iterator[Evidence]:
    """Yield figures for the reader: where time went, and who used the cores."""
    for place, share in sorted((use.waits or {}).items(), key=lambda item: -item[1]):
        yield Evidence("", f"share of workflows seen: {place}", percent(share), "%")
    yield Evidence("", "samples of what workflows did", use.wait_samples, "samples")
    yield Evidence("", "workflows in flight, mean", use.in_flight, "workflows")
    for who, cores in (
        ("the workers", use.target_cores),
        ("the harness", use.harness_cores),
        *((server.name, server.cores) for server in use.servers),
        ("processes outside of the run", use.others_cores),
        ("the machine below (stolen)", None if use.host is None else use.host.steal),
    ):
        yield Evidence("", f"cores used by {who}", cores, "cores")
    yield Evidence("", "cores that may be used", use.usable_cores, "cores")


def _at_once(records: LevelRecords) -> int | None:
    """Return how many workflows the runtimes of all workers execute at once at most."""
    facts = [worker.journal.facts.get("executes_at_once", "") for worker in records.workers]
    return sum(map(int, facts)) if facts and all(facts) else None
