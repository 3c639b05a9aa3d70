"""The SLOs of a scenario file: tables ``[[slo]]``, or texts in a list, and those of ``--slo``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perf_pipeline.config.scenario.keys import MAX_LIST_LENGTH, Key
from perf_pipeline.config.scenario.stages import measured
from perf_pipeline.config.slo.slo import (
    FORMS,
    GRACE_S,
    Metric,
    Slo,
    metric_forms,
    metric_named,
    parse_limit,
    parse_slo,
    problem_of,
    unknown_metric,
)
from perf_pipeline.config.wording import did_you_mean, listed, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.config.scenario.positions import KeyPath
    from perf_pipeline.config.scenario.problems import Problems
    from perf_pipeline.config.scenario.scenario import Scenario

SLO = "slo"

KEYS: dict[str, Key] = {
    key.name: key
    for key in (
        Key(
            "metric",
            "text",
            "what the limit is on",
            1,
            40,
            is_required=True,
        ),
        Key("at_most", "number", 'upper limit: in the metric\'s unit, or like "100ms"', 0, 1e9),
        Key("at_least", "number", 'lower limit: in the metric\'s unit, or like "50/s"', 0, 1e9),
        Key("family", "text", "only workflows of this family, or function", 1, 200),
        Key(
            "window_s",
            "number",
            "s, length of the sliding window of which the worst counts",
            1,
            86_400,
        ),
        Key("abort", "boolean", "the level ends when the limit is missed"),
        Key("grace_s", "number", "s of the steady phase in which nothing ends it", 0, 86_400),
    )
}
LIMITS = ("at_most", "at_least")
LEVEL = Key("level", "text", "only the level, or arm, of this label", 1, 40)


def check_slos(document: object, scenario: Scenario, problems: Problems) -> tuple[Slo, ...]:
    """Return the SLOs that fit, and add a problem for each of the others.

    Args:
        document: The value of ``slo``: a list of texts and tables.
        scenario: What the SLOs are about; its own are not looked at.
        problems: Told what is wrong.
    """
    if not isinstance(document, list) or len(document) > MAX_LIST_LENGTH:
        problems.at(
            (SLO,),
            f"is {shown(document)}; allowed are at most {MAX_LIST_LENGTH} tables, each written "
            f"[[{SLO}]], or a list of texts like {FORMS}.",
        )
        return ()
    slos: list[Slo] = []
    for index, written in enumerate(document):
        here: KeyPath = (SLO, index)
        found = _slo(written, here, problems)
        if found is None:
            continue
        for path, text in _pointless(found, scenario):
            problems.at((*here, *path), text)
        if found.key in {slo.key for slo in slos}:
            problems.at(here, f"is about {found.text} for the second time; keep one limit.")
            continue
        slos.append(found)
    return tuple(slos)


def flag_slos(texts: tuple[str, ...], scenario: Scenario, problems: Problems) -> tuple[Slo, ...]:
    """Read the texts of ``--slo``; add a problem for each that does not fit."""
    slos: dict[tuple[str, str | None, str | None, float], Slo] = {}
    for text in texts:
        flag = f"--slo {shown(text)}"
        try:
            slo = parse_slo(text)
        except ValueError as error:
            problems.flag(flag, _ended(str(error)))
            continue
        for _, problem in _pointless(slo, scenario):
            problems.flag(flag, problem)
        if slo.key in slos:
            problems.flag("--slo", f"is given for {slo.metric} twice; keep one limit.")
        slos[slo.key] = slo
    return tuple(slos.values())


def with_flags(slos: tuple[Slo, ...], more: tuple[Slo, ...]) -> tuple[Slo, ...]:
    """Return the scenario's SLOs with those of the flags added, or in the place of their like."""
    replaced = {slo.key for slo in more}
    return (*(slo for slo in slos if slo.key not in replaced), *more)


def slos_of_levels(scenario: Scenario) -> tuple[Slo, ...]:
    """Return the SLOs that still speak of a level, after flags have changed the levels."""
    labels = labels_of(scenario)
    return tuple(slo for slo in scenario.slos if slo.level is None or slo.level in labels)


def labels_of(scenario: Scenario) -> tuple[str, ...]:
    """Return the labels of the scenario's levels, closed and open, then of its arms."""
    return (
        *map(str, scenario.concurrency),
        *(level.label for level in scenario.levels),
        *dict.fromkeys(one.level or one.label for one in scenario.arrivals),
        *(stage.label for stage in measured(scenario.stages)),
        *(arm.label for arm in scenario.arms),
    )


def _pointless(slo: Slo, scenario: Scenario) -> Iterator[tuple[KeyPath, str]]:
    """Say what in an SLO means nothing in this scenario: its level, its family, a blind limit."""
    labels = labels_of(scenario)
    families = tuple(dict.fromkeys(workload.family for workload in scenario.workloads))
    for name, value, known in (("level", slo.level, labels), ("family", slo.family, families)):
        if value is not None and value not in known:
            near = did_you_mean(value, known) or f"there are {listed(known)}."
            yield (name,), f"is {shown(value)}, which the scenario does not have; {near}"
    deadline_s, steady_s = scenario.phases.deadline_s, scenario.phases.steady_s
    if slo.about.times and slo.limit >= deadline_s:
        text = f"is {slo.text}, not below phases.deadline_s ({deadline_s:g}): a workflow that takes"
        tail = "longer is a timeout, and how long it takes is not known"
        yield (), f"{text} {tail}; raise the deadline or lower the limit."
    if slo.window_s > steady_s:
        text = f"is {slo.window_s:g}, above phases.duration ({steady_s:g})"
        yield ("window_s",), f"{text}: no window would lie in the phase; raise duration."
    if slo.about.kind in {"memory", "cpu"} and any(one.request for one in scenario.workloads):
        text = f"is about {slo.text}, of the processes that send the requests and not of the server"
        yield (), f"{text}: it would be met by any server; leave it out."


def _slo(written: object, here: KeyPath, problems: Problems) -> Slo | None:
    if isinstance(written, str):
        try:
            return parse_slo(written)
        except ValueError as error:
            problems.at(here, _ended(f"is {shown(written)}, which {error}"))
            return None
    if not isinstance(written, dict):
        problems.at(here, f"is {shown(written)}; allowed is a table, or a text like {FORMS}.")
        return None
    wrong = False
    for path, text in _table_problems(written):
        problems.at((*here, *path), text)
        wrong = True
    if wrong:
        return None
    slo = _made(written)
    if problem := problem_of(slo):
        problems.at(here, _ended(problem))
        return None
    return slo


def _ended(text: str) -> str:
    return text if text.endswith("?") else f"{text}."


def _made(table: dict[str, Any]) -> Slo:
    at_most = "at_most" in table
    about, limit = metric_named(table["metric"]), table["at_most" if at_most else "at_least"]
    assert about is not None  # the table has been checked
    return Slo(
        metric=about.name,
        limit=parse_limit(about, limit) if isinstance(limit, str) else float(limit),
        at_most=at_most,
        family=table.get("family"),
        level=str(table["level"]) if "level" in table else None,
        window_s=_seconds(table, "window_s", 0.0),
        abort=table.get("abort", False),
        grace_s=_seconds(table, "grace_s", GRACE_S),
    )


def _seconds(table: dict[str, Any], name: str, default: float) -> float:
    meant: Any = KEYS[name].meant(table.get(name, default))
    return float(meant)


def _table_problems(table: dict[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    """Say what is wrong with a table, key by key and then between its keys."""
    known = (*KEYS, LEVEL.name)
    metric = table.get("metric")
    about = metric_named(metric) if isinstance(metric, str) else None
    for name, value in table.items():
        if name == LEVEL.name:
            # A level is named by its number, which may be written as a number.
            value = str(value) if type(value) is int else value  # noqa: PLW2901
            yield from (((name,), text) for _, text in LEVEL.problems_of(value))
        elif name in LIMITS and about is not None and isinstance(value, str):
            yield from _limit_problems(about, name, value)
        elif name in KEYS:
            key = KEYS[name]
            yield from (((name,), text) for _, text in key.problems_of(key.meant(value)))
        else:
            near = did_you_mean(name, known) or f"known here are {listed(known)}."
            yield (name,), f"is unknown; {near}"
    if metric is None:
        yield ("metric",), f"is missing; {metric_forms()}."
    elif isinstance(metric, str) and about is None:
        yield ("metric",), _ended(unknown_metric(metric))
    elif about is not None and not about.by_family:
        yield from _resource_problems(about.name, table)
    if ("at_most" in table) == ("at_least" in table):
        yield (), "needs one limit: at_most or at_least."
    if "grace_s" in table and not table.get("abort"):
        yield ("grace_s",), "is given without abort = true, which it belongs to; leave it out."


def _limit_problems(about: Metric, name: str, text: str) -> Iterator[tuple[KeyPath, str]]:
    try:
        parse_limit(about, text)
    except ValueError as error:
        yield (name,), _ended(str(error))


def _resource_problems(metric: str, table: dict[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    """Yield a problem for each key that does not apply to memory and CPU."""
    if "family" in table:
        yield ("family",), f"is given, but {metric} is of the workers, not of a family."
    if table.get("abort"):
        yield ("abort",), f"is given, but {metric} ends no level; [limits] and [stop] do that."
    if metric == "memory_mb" and "window_s" in table:
        yield ("window_s",), "is given, but memory_mb is a peak, the same over any windows."
