"""The tables of the catalogue.

The tables that a database really has are made by ``migrations/``; a test compares the two. Their
names begin with ``catalogue_``, since the database may be one that others use as well. Times are
ISO 8601 UTC with seconds, so that their order as text is their order in time.
"""

from typing import Any

from sqlalchemy import JSON, ForeignKey, ForeignKeyConstraint, Index, false
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

COMPARED_ROLE = "compared"
"""Role of the levels of a run that compared two arms in turn."""


class Table(DeclarativeBase):
    """The base of all tables."""


class Run(Table):
    """A run whose metrics were stored.

    Attributes:
        id: The run's id.
        folder: Its folder, or the archive from which it was added.
        scenario: Name of the scenario.
        target: The target of its levels, as the scenario names it.
        target_version: Version of the target's own package; empty where it has none.
        packages: Package to version: everything that is installed beside the target.
        machine: Fingerprint of the machine: processor, usable cores and memory.
        git_branch: Branch of the code under test: of the user's own functions, else of the
            project; empty where none is known, as the next one.
        git_commit: Its commit.
        git_dirty: Whether files differ from the commit.
        plan_hash: Digest of the plans of all levels.
        status: ``complete``, ``interrupted``, ``failed`` or ``killed``.
        validity: The worst of its levels'.
        created: When it started.
    """

    __tablename__ = "catalogue_runs"

    id: Mapped[str] = mapped_column(primary_key=True)
    folder: Mapped[str]
    scenario: Mapped[str]
    target: Mapped[str]
    target_version: Mapped[str]
    packages: Mapped[dict[str, Any]] = mapped_column(JSON)
    machine: Mapped[str]
    git_branch: Mapped[str]
    git_commit: Mapped[str]
    git_dirty: Mapped[bool]
    plan_hash: Mapped[str]
    status: Mapped[str]
    validity: Mapped[str]
    created: Mapped[str]

    levels: Mapped[list["Level"]] = relationship(
        order_by="Level.position", cascade="all, delete-orphan", passive_deletes=True
    )
    verdicts: Mapped[list["Verdict"]] = relationship(
        cascade="all, delete-orphan", passive_deletes=True
    )

    __table_args__ = (Index("catalogue_runs_by_time", "scenario", "created"),)


class Level(Table):
    """A load level or arm of a run.

    Attributes:
        run_id: The run.
        position: Of the level in the run, from 0.
        label: ``100``, or the name of an arm.
        repeat: Number of the repeat, 0 for the first.
        role: ``level``, ``arm`` or ``COMPARED_ROLE``.
        target: The target that was measured, with its version and packages.
        target_version: Version of its own package; empty where it has none.
        validity: Whether its figures are a measurement.
        samples: Workflows that ended in the steady phase.
        comparable_key: Equal for levels whose figures compare; empty if a part is unknown.
        matches: What must match, by name (``metrics/matching.py``).
    """

    __tablename__ = "catalogue_levels"

    run_id: Mapped[str] = mapped_column(
        ForeignKey("catalogue_runs.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    label: Mapped[str]
    repeat: Mapped[int]
    role: Mapped[str]
    target: Mapped[str]
    target_version: Mapped[str]
    validity: Mapped[str]
    samples: Mapped[int]
    comparable_key: Mapped[str] = mapped_column(index=True)
    matches: Mapped[dict[str, Any]] = mapped_column(JSON)

    metrics: Mapped[list["Metric"]] = relationship(
        order_by="Metric.id", cascade="all, delete-orphan", passive_deletes=True
    )


class Metric(Table):
    """One metric of a level, or of one kind of workflow in it (``metrics/level_values.py``).

    Attributes:
        id: Ascending in the order of the level's metrics.
        run_id: The run.
        position: Of its level in the run.
        family: The kind of workflow, ``analytics/simple``; empty for all together.
        metric: ``throughput_per_s``, ``p99_s``, ...
        unit: ``/s``, ``s``, ``MB``, ``ratio`` or ``%``.
        value: None if it was not measured.
        low: Lower end of the 95 % interval within the level; None where there is none.
        high: Upper end, likewise.
        samples: Workflows, or samples of the resource monitor, behind the value.
        doubt: Why a value does not compare although there is one; empty if it does.
        validity: The level's; but CPU time per workflow stands beside neighbours as well.
        comparable_key: The level's.
    """

    __tablename__ = "catalogue_metrics"

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str]
    position: Mapped[int]
    family: Mapped[str]
    metric: Mapped[str]
    unit: Mapped[str]
    value: Mapped[float | None]
    low: Mapped[float | None]
    high: Mapped[float | None]
    samples: Mapped[int]
    doubt: Mapped[str]
    validity: Mapped[str]
    comparable_key: Mapped[str]

    __table_args__ = (
        ForeignKeyConstraint(
            ["run_id", "position"],
            ["catalogue_levels.run_id", "catalogue_levels.position"],
            ondelete="CASCADE",
        ),
        Index("catalogue_metrics_of_level", "run_id", "position"),
        Index("catalogue_metrics_that_compare", "comparable_key", "family", "metric"),
    )


class Verdict(Table):
    """A verdict on a run: an objective, a line of a table of targets, a KPI, or a comparison.

    Attributes:
        id: Ascending.
        run_id: The run that was judged.
        kind: ``slo``, ``target``, ``kpi`` or ``comparison``.
        level: Name of the level; empty for the whole run.
        family: The kind of workflow; empty for all together.
        subject: The objective, target or indicator; of a comparison, its baseline.
        verdict: Of the closed list of its kind.
        detail: What it rests on: the reason, or the id of the comparison.
    """

    __tablename__ = "catalogue_verdicts"

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(
        ForeignKey("catalogue_runs.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[str]
    level: Mapped[str]
    family: Mapped[str]
    subject: Mapped[str]
    verdict: Mapped[str]
    detail: Mapped[str]


class Baseline(Table):
    """Runs that a name stands for; one name has them for each scenario and machine.

    Attributes:
        id: Ascending.
        name: The name, as in ``pinned:NAME``.
        scenario: Of its runs.
        machine: Fingerprint of their machine.
        created: When it was pinned.
        note: Why; may be empty.
    """

    __tablename__ = "catalogue_baselines"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    scenario: Mapped[str]
    machine: Mapped[str]
    created: Mapped[str]
    note: Mapped[str]

    runs: Mapped[list["BaselineRun"]] = relationship(
        order_by="BaselineRun.position", cascade="all, delete-orphan", passive_deletes=True
    )

    __table_args__ = (
        Index("catalogue_baselines_by_name", "name", "scenario", "machine", unique=True),
    )


class BaselineRun(Table):
    """One of the runs of a baseline, in their order."""

    __tablename__ = "catalogue_baseline_runs"

    baseline_id: Mapped[int] = mapped_column(
        ForeignKey("catalogue_baselines.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("catalogue_runs.id"))


class Alert(Table):
    """The alert on a first bad run, however many metrics moved (``metrics/types/alert.py``).

    Attributes:
        id: Id of the first bad run, which may be in an archive alone.
        scenario: Of the runs.
        state: ``open``, ``acknowledged`` or ``cleared``.
        raised: When it was raised.
        acknowledged: When it was acknowledged; empty unless it was.
        note: Of whoever acknowledged it; may be empty.
        cleared: When it was cleared; empty unless it was.
        undelivered: What sinks have not got yet.
    """

    __tablename__ = "catalogue_alerts"

    id: Mapped[str] = mapped_column(primary_key=True)
    scenario: Mapped[str]
    state: Mapped[str]
    raised: Mapped[str]
    acknowledged: Mapped[str]
    note: Mapped[str]
    cleared: Mapped[str]
    undelivered: Mapped[list[dict[str, Any]]] = mapped_column(JSON)

    metrics: Mapped[list["AlertMetric"]] = relationship(
        order_by="AlertMetric.position", cascade="all, delete-orphan", passive_deletes=True
    )


class AlertMetric(Table):
    """A metric that moved at the first bad run of an alert.

    Attributes:
        alert_id: The alert.
        position: Of the metric in the alert; the worst is the first.
        target: Without its version and packages.
        level: Label of the level.
        family: The kind of workflow; empty for all together.
        metric: ``throughput_per_s``, ``p99_s``, ...
        unit: ``/s``, ``s``, ``MB``, ``ratio`` or ``%``.
        higher_is_better: Its direction.
        kind: ``ratio`` or ``difference``: what ``effect`` is.
        effect: New / old level, or new - old.
        low: Lower end of its interval.
        high: Upper end.
        tier: ``confirmed`` or ``fast``.
        severity: ``minor``, ``major`` or ``critical``.
        first_bad_run: First run of the new level, by this metric.
        last_good_run: The run before it; empty if there is none.
        comparison: Id of the comparison that found it; empty for the history.
        pair: The sides of an interleaved comparison; else empty.
        is_drift: Whether it gets worse run by run, from ``last_good_run`` on.
    """

    __tablename__ = "catalogue_alert_metrics"

    alert_id: Mapped[str] = mapped_column(
        ForeignKey("catalogue_alerts.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    target: Mapped[str]
    level: Mapped[str]
    family: Mapped[str]
    metric: Mapped[str]
    unit: Mapped[str]
    higher_is_better: Mapped[bool]
    kind: Mapped[str]
    effect: Mapped[float]
    low: Mapped[float]
    high: Mapped[float]
    tier: Mapped[str]
    severity: Mapped[str]
    first_bad_run: Mapped[str]
    last_good_run: Mapped[str]
    comparison: Mapped[str]
    pair: Mapped[str]
    is_drift: Mapped[bool] = mapped_column(server_default=false())
