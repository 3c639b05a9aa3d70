"""What a reader of a campaign asks: what it proves, whether it leaks, slows down, fails more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.analysis.endurance.run_leaks import decides
from perf_pipeline.report.endurance import words
from perf_pipeline.report.endurance.growth import growth_in_short
from perf_pipeline.report.run.answers import Verdict
from perf_pipeline.report.text import escape, quantity
from perf_pipeline.report.text.table import Cell

if TYPE_CHECKING:
    from perf_pipeline.report.endurance.stored_campaign import StoredCampaign
    from perf_pipeline.samples.campaign.leak_verdict import LeakVerdict
    from perf_pipeline.samples.campaign.verdicts import Verdicts

NAMED_MAX = 4
"""Signals that an answer names; further ones are counted."""

REASONS_MAX = 2

EVIDENCE, COMPLETE = "What is it evidence of?", "Is it complete?"
LEAK, LOSS, ERRORS = "Does it leak?", "Does it get slower?", "Is its error ratio stable?"
NOT_SCALED = (
    "What needs time and not work does not show in scaled hours: TCP keepalive (2 h), midnight and "
    "daylight saving time, certificates that expire, slow fragmentation of memory, heat."
)
_NOT_JUDGED = Cell("not judged yet", "quiet")


def answers(stored: StoredCampaign) -> tuple[Verdict, ...]:
    """Return the answers, in the order in which they are read."""
    found = stored.verdicts
    return (
        _evidence(stored),
        _complete(stored),
        Verdict(LEAK, *_leak(stored)),
        Verdict(LOSS, *_loss(found)),
        Verdict(ERRORS, *_errors(found)),
    )


def _evidence(stored: StoredCampaign) -> Verdict:
    planned = stored.campaign
    hours = quantity.counted(len(stored.hours), "hour")
    if stored.is_real:
        early = sum(not one.ran_to_end for one in stored.hours)
        shorter = f", {early} of them ended early" if early else ""
        return Verdict(EVIDENCE, Cell("real", "good"), (f"{hours} of 3600 s each{shorter}.",))
    work = quantity.counted(planned.workflows_per_hour, "workflow")
    said = (
        f"{hours} of {planned.hour_seconds:g} s and {work} each stand for hours of 3600 s "
        "with as many; growth per hour is growth in one of them."
    )
    return Verdict(EVIDENCE, Cell("scaled", "warn"), (said, NOT_SCALED))


def _complete(stored: StoredCampaign) -> Verdict:
    ended = f"{len(stored.hours)} of {quantity.counted(stored.campaign.hours, 'hour')}"
    noted = [
        f"{quantity.counted(count, what)}."
        for count, what in (
            (len(stored.missing), "missing hour"),
            (len(stored.gaps), "gap"),
            (sum(not one.ran_to_end for one in stored.hours), "early end"),
            (len(stored.breaks), "restart of the target"),
        )
        if count
    ]
    if stored.to_come:
        noted.append(f"{quantity.counted(stored.to_come, 'planned hour')} not played.")
    if len(stored.hours) < stored.campaign.hours:
        return Verdict(COMPLETE, Cell(ended, "warn"), tuple(noted))
    if noted:
        return Verdict(COMPLETE, Cell(f"{ended}, with interruptions", "warn"), tuple(noted))
    return Verdict(COMPLETE, Cell(ended, "good"), ("Without a gap, on one process of the target.",))


def _leak(stored: StoredCampaign) -> tuple[Cell, tuple[str, ...]]:
    found = stored.verdicts
    if found is None:
        return _NOT_JUDGED, ()
    all_own = [one for one in found.leaks if not words.is_twin(one.name)]
    own = [one for one in all_own if decides(one.name)]
    leaks = [one for one in own if one.verdict == "leak"]
    unclear = [one for one in own if one.verdict == "inconclusive"]
    clean = len(own) - len(leaks) - len(unclear)
    said = [f"{_named(some)}." for some in (leaks, unclear) if some]
    said.append(
        f"Of {quantity.counted(len(own), 'signal')} of the target, and of its sessions on servers: "
        f"{len(leaks)} leak, {len(unclear)} inconclusive, {clean} clean."
    )
    said += [f"{reason[:1].upper()}{reason[1:]}." for reason in found.leak_reasons[:REASONS_MAX]]
    if grown := growth_in_short(stored):
        said.append(grown)
    beside = [one.name for one in all_own if one.verdict == "leak" and not decides(one.name)]
    if beside:
        named = ", ".join(map(escape.name, beside))
        said.append(f"What grows in servers and in the load generator decides nothing: {named}.")
    if found.twin == "missed":
        why = "A process that leaks on purpose was not caught, so this campaign proves nothing."
        word = f"{found.leak}, and proves nothing"
        return Cell(word, "bad" if found.leak == "leak" else "warn"), (why, *said)
    if found.twin == "caught":
        said.append("A process that leaks on purpose was caught beside it.")
    return words.leak_cell(found.leak), tuple(said)


def _named(some: list[LeakVerdict]) -> str:
    named = "; ".join(map(_growth, some[:NAMED_MAX]))
    left = len(some) - NAMED_MAX
    return f"{named}; {quantity.counted(left, 'signal')} more" if left > 0 else named


def _growth(one: LeakVerdict) -> str:
    name, unit = escape.name(one.name), words.unit_of(one.name)
    grows = "growth not known"
    if one.growth_per_hour is not None:
        grows = f"{words.amount(one.growth_per_hour, unit, signed=True)} per hour"
    if one.interval is not None:
        grows += f" ({words.between(*one.interval, unit)})"
    if one.hours_to_limit is not None:
        grows += f", at its limit in {quantity.significant(one.hours_to_limit)} h"
    return f"{name}: {one.verdict}, {grows}"


def _loss(found: Verdicts | None) -> tuple[Cell, tuple[str, ...]]:
    if found is None or not found.degradation:
        return _NOT_JUDGED, ()
    by_word = {
        word: [one for one in found.degradation if one.verdict == word]
        for word in ("degraded", "inconclusive", "proven_absent")
    }
    worst = next(word for word, some in by_word.items() if some)
    said = tuple(
        f"{words.metric(one.metric)}: {words.loss_text(one)}." for one in by_word[worst][:NAMED_MAX]
    )
    return words.loss_cell(worst), said


def _errors(found: Verdicts | None) -> tuple[Cell, tuple[str, ...]]:
    if found is None:
        return _NOT_JUDGED, ()
    one = found.errors
    if one.ratio is None:
        return words.errors_cell(one.verdict), ()
    between = "" if one.interval is None else " ({:.3g} to {:.3g})".format(*one.interval)
    return (
        words.errors_cell(one.verdict),
        (f"At the end {one.ratio:.3g} times that of the beginning{between}.",),
    )
