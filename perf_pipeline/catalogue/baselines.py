"""Pinned baselines: names that stand for runs, for each scenario and machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from perf_pipeline.catalogue.filing import utc_text
from perf_pipeline.catalogue.tables import Baseline, BaselineRun, Level, Run
from perf_pipeline.config.names import name_problem
from perf_pipeline.errors import CatalogueError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from perf_pipeline.catalogue.store import Catalogue


@dataclass(frozen=True)
class PinnedBaseline:
    """What a name stands for in a scenario on a machine.

    Attributes:
        name: As in ``pinned:NAME``.
        scenario: Of its runs.
        machine: Fingerprint of their machine.
        created: When it was pinned, ISO 8601 UTC.
        note: Why; may be empty.
        runs: Their ids, in the order in which they were named.
    """

    name: str
    scenario: str
    machine: str
    created: str
    note: str
    runs: tuple[str, ...]


def pin_baseline(
    catalogue: Catalogue, name: str, run_ids: Sequence[str], note: str, now: datetime
) -> PinnedBaseline:
    """Let a name stand for runs, in place of those that it has for their scenario and machine.

    Raises:
        CatalogueError: The name cannot be one, or a run is not in the catalogue, has no valid
            level, or is of another scenario or machine than the first.
    """
    if problem := name_problem("baseline name", name):
        raise CatalogueError(problem)
    with catalogue.writing() as session:
        runs = [_usable(session, run_id) for run_id in dict.fromkeys(run_ids)]
        if not runs:
            raise CatalogueError(f"name the runs that baseline {name} shall stand for")
        first = runs[0]
        for run in runs:
            for what, value, wanted in (
                ("scenario", run.scenario, first.scenario),
                ("machine", run.machine, first.machine),
            ):
                if value != wanted:
                    raise CatalogueError(
                        f"run {run.id} has {what} {value}, and run {first.id} {wanted}: pin runs "
                        f"of one {what} at a time; the name has runs for each"
                    )
        if before := _pinned(session, name, first.scenario, first.machine):
            session.delete(before)
            session.flush()
        baseline = Baseline(
            name=name,
            scenario=first.scenario,
            machine=first.machine,
            created=utc_text(now),
            note=note,
            runs=[BaselineRun(position=at, run_id=run.id) for at, run in enumerate(runs)],
        )
        session.add(baseline)
        return _plain(baseline)


def list_baselines(catalogue: Catalogue, name: str | None = None) -> tuple[PinnedBaseline, ...]:
    """Return what each name, or one of them, stands for."""
    with catalogue.reading() as session:
        wanted = select(Baseline).order_by(Baseline.name, Baseline.scenario, Baseline.machine)
        if name is not None:
            wanted = wanted.where(Baseline.name == name)
        return tuple(map(_plain, session.scalars(wanted)))


def remove_baseline(catalogue: Catalogue, name: str) -> tuple[PinnedBaseline, ...]:
    """Forget a name, and return what it stood for; the runs stay.

    Raises:
        CatalogueError: There is none such.
    """
    with catalogue.writing() as session:
        found = session.scalars(select(Baseline).where(Baseline.name == name)).all()
        removed = tuple(map(_plain, found))
        for baseline in found:
            session.delete(baseline)
    if not removed:
        raise no_baseline(catalogue, name)
    return removed


def no_baseline(catalogue: Catalogue, name: str) -> CatalogueError:
    """Return the error that there is no baseline of a name, with those that there are."""
    names = ", ".join(dict.fromkeys(one.name for one in list_baselines(catalogue))) or "none"
    return CatalogueError(
        f"no baseline {name!r} is pinned (pinned are: {names}): pin one with "
        "`perf-pipeline baseline pin NAME RUN`"
    )


def _usable(session: Session, run_id: str) -> Run:
    run = session.get(Run, run_id)
    if run is None:
        raise CatalogueError(
            f"run {run_id} is not in the catalogue: add it with `perf-pipeline catalogue add RUN`"
        )
    valid = select(Level).where(Level.run_id == run_id, Level.validity == "valid").limit(1)
    if session.scalars(valid).first() is None:
        raise CatalogueError(
            f"run {run_id} is {run.validity}, and none of its levels is valid: its figures are no "
            "measurement, so nothing can be compared with them"
        )
    return run


def _pinned(session: Session, name: str, scenario: str, machine: str) -> Baseline | None:
    return session.scalars(
        select(Baseline).where(
            Baseline.name == name, Baseline.scenario == scenario, Baseline.machine == machine
        )
    ).first()


def _plain(one: Baseline) -> PinnedBaseline:
    runs = tuple(run.run_id for run in one.runs)
    return PinnedBaseline(one.name, one.scenario, one.machine, one.created, one.note, runs)
