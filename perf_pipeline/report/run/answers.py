"""The questions that a reader of a run has, each with its answer and what the answer rests on.

Is it a measurement? Does it meet the targets? What limited it? How much is the runtime's own?
Where more than a few workflows failed also what failed; of a stress run how much load the target
sustains, of one with faults whether it recovers and what protections change, of open levels how
long users wait, of a scenario with objectives whether they are met.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from perf_pipeline.analysis.beside_neighbours import is_judged
from perf_pipeline.analysis.targets import has_no_runtime, runs_own_code
from perf_pipeline.metrics.validity import NOT_QUIET
from perf_pipeline.report.level import noise
from perf_pipeline.report.level.bottleneck import bottleneck_fact
from perf_pipeline.report.level.failures import failed, failures, has_many_failures
from perf_pipeline.report.pools import pool_recovery
from perf_pipeline.report.recovery import answer as recovery
from perf_pipeline.report.recovery import protections
from perf_pipeline.report.run import open_levels, overhead, slo, stress_verdict, targets
from perf_pipeline.report.run.cost import is_asked
from perf_pipeline.report.text import escape, labels, quantity
from perf_pipeline.report.text.table import Cell, Fact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.metrics.types.targets import TargetRow
    from perf_pipeline.report.run.cost import Cost


REASONS_MAX = 3
"""Reasons of levels that the top of the report shows; each level shows all of them."""

ON_TOP_LENGTH_MAX = 200
"""Characters of an answer, with what it rests on, before the rest unfolds: two lines of the page
on a desk (1440 px)."""

MEASUREMENT = "Is it a measurement?"
FAILURES = "What failed?"
AS_FAR = "met as far as measured"


@dataclass(frozen=True)
class Verdict:
    """A question, its short answer, and what the answer rests on.

    Attributes:
        question: What the reader wants to know.
        answer: A verdict of a closed list, or a value.
        sentences: What the answer rests on, one statement each.
        parts: The answers that it combines, for example one for each table of targets.
    """

    question: str
    answer: Cell
    sentences: tuple[str, ...]
    parts: tuple[Fact, ...] = ()

    @property
    def in_short(self) -> str:
        """What the answer rests on, in one sentence; empty where the answer says all."""
        if self.sentences:
            return self.sentences[self._leading]
        bad = [part for part in self.parts if part.cell.tone == "bad" and part.cell.note]
        if bad:
            return " ".join(f"{part.term}: {part.cell.note}" for part in bad)
        return "; ".join(f"{part.term}: {part.cell.text}" for part in self.parts)

    @property
    def on_top(self) -> str:
        """``in_short`` as far as two lines of the page hold it; an ellipsis shows the cut."""
        room = ON_TOP_LENGTH_MAX - len(self.answer.text)
        if len(self.in_short) <= room:
            return self.in_short
        words = self.in_short[: max(room, 0)].rpartition(" ")[0]
        return f"{words.rstrip(' ,;:.')} …"

    @property
    def rest(self) -> tuple[str, ...]:
        """The sentences that ``on_top`` does not hold."""
        known = self._leading if self.sentences and self.on_top == self.in_short else None
        return tuple(one for at, one in enumerate(self.sentences) if at != known)

    @property
    def _leading(self) -> int:
        """The place of the sentence that says most: the first explains the verdict's word."""
        return 1 if self.question == MEASUREMENT and len(self.sentences) > 1 else 0


def verdicts(metrics: RunMetrics, cost: Cost) -> tuple[Verdict, ...]:
    """Return the run's verdicts, in the order in which they are read."""
    stress = (
        [Verdict(stress_verdict.QUESTION, *stress_verdict.answer(metrics))]
        if stress_verdict.is_asked(metrics)
        else []
    )
    objectives = slo.slo_answer(metrics)
    asked = [Verdict("Does it keep its objectives?", *objectives)] if objectives else []
    own_share = (
        [Verdict(overhead.QUESTION, *overhead.answer(metrics, cost), overhead.parts(cost))]
        if is_asked(metrics)
        else []
    )
    recovered = recovery.answer(metrics)
    returned = [Verdict(recovery.QUESTION, *recovered)] if recovered else []
    guarded = protections.protection_answer(metrics)
    protected = [Verdict(protections.QUESTION, *guarded)] if guarded else []
    waited = open_levels.waits_answer(metrics)
    users = [Verdict(open_levels.QUESTION, *waited)] if waited else []
    pooled = pool_recovery.pool_answer(metrics)
    pools = [Verdict(pool_recovery.QUESTION, *pooled)] if pooled else []
    return (
        _measurement(metrics),
        *_failures(metrics),
        *returned,
        *protected,
        *stress,
        *users,
        *pools,
        *asked,
        *(() if objectives and not metrics.targets else (_targets(metrics),)),
        _limited(metrics),
        *own_share,
    )


def _measurement(metrics: RunMetrics) -> Verdict:
    sentences = [labels.VALIDITY[metrics.validity]]
    if metrics.status != "complete" or not metrics.levels:
        status = escape.name(metrics.status)
        meaning = labels.STATUS.get(metrics.status, "this status is unknown.")
        sentences.append(f"The status of the run is {status}: {meaning}")
    if not metrics.levels:
        sentences.append("No level was measured.")
    else:
        valid = sum(level.validity == "valid" for level in metrics.levels)
        sentences.append(f"{valid} of {len(metrics.levels)} levels and arms are valid.")
    sentences += [*noise.noise_of_run(metrics), *_untested(metrics)]
    of_levels = [reason for reason in metrics.reasons if reason.startswith("level ")]
    own_reasons = [reason for reason in metrics.reasons if reason not in of_levels]
    of_levels = [reason for reason in of_levels if f": {NOT_QUIET}: " not in reason]
    if own_reasons and own_reasons[0].startswith(f"the run is {metrics.status}: "):
        sentences.insert(1, escape.visible(own_reasons.pop(0)) + ".")
    if metrics.validity == "target_failed" and of_levels:  # the reason of the verdict is first
        sentences.insert(1, escape.visible(of_levels.pop(0)) + ".")
    shown = (*own_reasons, *of_levels[:REASONS_MAX])
    sentences.extend(escape.visible(reason) for reason in shown)
    more = len(of_levels) - REASONS_MAX
    if more > 0:
        sentences.append(
            f"And {quantity.counted(more, 'reason')} more: each is shown at its level."
        )
    answer = labels.validity_cell(metrics.validity)
    if metrics.validity == "valid" and any(map(labels.is_untested, metrics.levels)):
        answer = replace(answer, text=f"{answer.text}, {labels.UNTESTED}")
    return Verdict(MEASUREMENT, answer, tuple(sentences))


def _failures(metrics: RunMetrics) -> tuple[Verdict, ...]:
    """Return what failed at the levels at which more than a few workflows did; else nothing."""
    worst = sorted(filter(has_many_failures, metrics.levels), key=failed, reverse=True)
    if not worst:
        return ()
    count = sum(map(failed, metrics.levels))
    ended = count + sum(level.outcomes.get("ok", 0) for level in metrics.levels)
    shown = f"{quantity.count(count)} of {quantity.count(ended)} workflows"
    sentences = [f"{labels.level_name(one)}: {failures(one)}." for one in worst[:REASONS_MAX]]
    if len(worst) > REASONS_MAX:
        more = quantity.counted(len(worst) - REASONS_MAX, "more level")
        sentences.append(f"And at {more}: each shows its own.")
    return (Verdict(FAILURES, Cell(shown, "bad"), tuple(sentences)),)


def _untested(metrics: RunMetrics) -> list[str]:
    """Return a sentence on the levels that were too short to be tested for drift."""
    names: dict[str, list[str]] = {}
    for level in metrics.levels:
        if labels.is_untested(level) and level.steady_state:
            names.setdefault(level.steady_state.why, []).append(labels.level_name(level))
    named = ", ".join(name for levels in names.values() for name in levels)
    if not named:
        return []
    why = "their steady phases were too short for it, and each level says how long it takes"
    return [f"Drift was not tested at {named}: {next(iter(names)) if len(names) == 1 else why}."]


def _targets(metrics: RunMetrics) -> Verdict:
    question = "Does it meet the targets?"
    tables = tuple(dict.fromkeys(row.table for row in metrics.targets))
    if not tables:
        has_none = bool(metrics.levels) and (
            all(map(runs_own_code, metrics.levels)) or all(map(has_no_runtime, metrics.levels))
        )
        shown = "none were set" if has_none else "no data"
        return Verdict(question, Cell(shown, "quiet"), (targets.none_set(metrics),))
    about = {row.level for row in metrics.targets}
    levels = [level for level in metrics.levels if level.role == "level" and level.label in about]
    is_decided = any(row.verdict != "no_data" for row in metrics.targets)
    if levels and not is_decided and not any(map(is_judged, levels)):
        return Verdict(question, Cell("no data", "quiet"), (targets.not_judged(metrics),))
    return _answered(question, tuple(_target_table(metrics, table) for table in tables))


def _answered(question: str, parts: tuple[Fact, ...]) -> Verdict:
    """Return the common verdict of all tables of targets."""
    verdicts_of_tables = {part.cell.text for part in parts}
    missed = [part.term.lower() for part in parts if part.cell.tone == "bad"]
    if missed:
        which = f": {', '.join(missed)}" if len(missed) < len(parts) else ""
        return Verdict(question, Cell(f"missed{which}", "bad"), (), parts)
    if verdicts_of_tables == {"met"}:
        return Verdict(question, Cell("met", "good"), (), parts)
    if "unclear" in verdicts_of_tables:
        return Verdict(question, Cell("unclear", "warn"), (), parts)
    if verdicts_of_tables == {"no data"}:
        return Verdict(question, Cell("no data", "quiet"), (), parts)
    return Verdict(question, Cell(AS_FAR, "warn"), (), parts)


def _limited(metrics: RunMetrics) -> Verdict:
    """Return what limited the level with the greatest load."""
    question = "What limited it?"
    asked = [
        (level, level.bottleneck)
        for level in metrics.levels
        if level.role == "level" and level.bottleneck is not None
    ]
    played = [level for level in metrics.levels if level.role == "level"]
    if not asked and played and all(_keeps_up(level) for level in played):
        why = (
            "At every level all that arrived was answered, so the schedule decided the throughput."
        )
        return Verdict(question, Cell("the arrivals"), (why,))
    failed = [labels.level_name(level) for level in played if level.has_failed_target]
    if not asked and failed:
        why = f"The target failed at {', '.join(failed)}: what does not work is limited by nothing."
        return Verdict(question, Cell("the target failed", "quiet"), (why,))
    if not asked:
        return Verdict(
            question, Cell("not known", "quiet"), ("What limited the levels is unknown.",)
        )
    level, bottleneck = max(asked, key=lambda each: _size(each[0]))
    cell = bottleneck_fact(bottleneck).cell
    how = " in flight" if level.loop == "closed" and level.label.isdecimal() else ""
    sentences = [f"At {escape.name(level.shown)}{how}: {cell.note}"]
    if level.validity != "valid" and bottleneck.verdict != "resource_exhaustion":
        sentences.append(f"That level is {level.validity}, so this is a hint.")
    return Verdict(question, Cell(cell.text, cell.tone), tuple(sentences))


def _keeps_up(level: LevelMetrics) -> bool:
    """Return whether a level is open, its target works, and answered what arrived."""
    load, lost = level.open_load, ("dropped", "timeout", "abandoned")
    if load is None or load.left_per_s is None or level.has_failed_target:
        return False
    return not load.queue_grew and not any(level.outcomes.get(name) for name in lost)


def _size(level: LevelMetrics) -> tuple[int, float]:
    """Return how great a load is: in flight, and of open levels what they offer."""
    offered = level.open_load.offered_per_s if level.open_load else None
    return level.concurrency, offered or 0.0


def _target_table(metrics: RunMetrics, table: str) -> Fact:
    rows = [row for row in metrics.targets if row.table == table]
    met = [row for row in rows if row.verdict == "met"]
    missed = [row for row in rows if row.verdict == "missed"]
    unclear = [row for row in rows if row.verdict == "unclear"]
    without = [row for row in rows if row.verdict == "no_data"]
    sentences = [f"{len(met)} of {len(rows)} met."]
    invalid = {level.label: level.validity for level in metrics.levels if level.validity != "valid"}
    noisy = {level.label for level in metrics.levels if level.is_only_noisy}
    slowed = [row for row in unclear if row.level in noisy]
    by_interval = [row for row in unclear if row.level not in noisy]
    skipped = {level.label for level in metrics.levels if not is_judged(level)}
    unknown = [row for row in without if row.level not in skipped]
    not_valid = dict.fromkeys(row.level for row in without if row.level in skipped)
    if missed:
        sentences.append(f"Missed: {_listed(missed, invalid)}.")
    if by_interval:
        listed = _listed(by_interval, invalid)
        sentences.append(f"Unclear, the interval contains the limit: {listed}.")
    if slowed:
        listed = _listed(slowed, invalid)
        sentences.append(f"Unclear, other programs may have slowed the target: {listed}.")
    if unknown:
        sentences.append(f"No data: {_listed(unknown, invalid)}.")
    if not_valid:
        named = ", ".join(f"{escape.name(at)} ({invalid[at]})" for at in not_valid)
        sentences.append(f"Not judged, because not valid: {named}.")
    if missed:
        cell = labels.verdict_cell("missed")
    elif unclear:
        cell = labels.verdict_cell("unclear")
    elif not met:
        cell = labels.verdict_cell("no_data")
    else:
        cell = Cell(AS_FAR, "warn") if without else labels.verdict_cell("met")
    title = labels.TARGET_TABLES.get(table, escape.name(table))
    return Fact(title, replace(cell, note=" ".join(sentences)))


def _listed(rows: Iterable[TargetRow], invalid: Mapping[str, str]) -> str:
    """Return the names of the rows, level by level, and which level is not valid.

    The repeats of a level share its label: a row of several of them is named once, with how many.
    """
    levels: dict[str, Counter[str]] = {}
    for row in rows:
        levels.setdefault(row.level, Counter())[escape.name(row.what)] += 1
    return "; ".join(
        f"{', '.join(f'{what} ({count} repeats)' if count > 1 else what for what, count in found)}"
        f" at {escape.name(at)}{f' ({invalid[at]})' if at in invalid else ''}"
        for at, found in ((at, counts.items()) for at, counts in levels.items())
    )
