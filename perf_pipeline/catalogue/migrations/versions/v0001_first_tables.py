"""The first tables: runs, levels, metrics, verdicts, baselines, alerts."""

from typing import Any

from alembic import op
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Double,
    ForeignKeyConstraint,
    Integer,
    PrimaryKeyConstraint,
    String,
)

revision = "0001"
down_revision = None


def _needed(name: str, kind: Any) -> Column[Any]:
    return Column(name, kind, nullable=False)


def upgrade() -> None:
    """Make the tables."""
    _runs()
    _verdicts_and_baselines()
    _alerts()


def _runs() -> None:
    op.create_table(
        "catalogue_runs",
        _needed("id", String),
        _needed("folder", String),
        _needed("scenario", String),
        _needed("target", String),
        _needed("target_version", String),
        _needed("packages", JSON),
        _needed("machine", String),
        _needed("git_branch", String),
        _needed("git_commit", String),
        _needed("git_dirty", Boolean),
        _needed("plan_hash", String),
        _needed("status", String),
        _needed("validity", String),
        _needed("created", String),
        PrimaryKeyConstraint("id"),
    )
    op.create_index("catalogue_runs_by_time", "catalogue_runs", ["scenario", "created"])
    op.create_table(
        "catalogue_levels",
        _needed("run_id", String),
        _needed("position", Integer),
        _needed("label", String),
        _needed("repeat", Integer),
        _needed("role", String),
        _needed("target", String),
        _needed("target_version", String),
        _needed("validity", String),
        _needed("samples", Integer),
        _needed("comparable_key", String),
        _needed("matches", JSON),
        ForeignKeyConstraint(["run_id"], ["catalogue_runs.id"], ondelete="CASCADE"),
        PrimaryKeyConstraint("run_id", "position"),
    )
    op.create_index("ix_catalogue_levels_comparable_key", "catalogue_levels", ["comparable_key"])
    op.create_table(
        "catalogue_metrics",
        _needed("id", Integer),
        _needed("run_id", String),
        _needed("position", Integer),
        _needed("family", String),
        _needed("metric", String),
        _needed("unit", String),
        Column("value", Double, nullable=True),
        Column("low", Double, nullable=True),
        Column("high", Double, nullable=True),
        _needed("samples", Integer),
        _needed("doubt", String),
        _needed("validity", String),
        _needed("comparable_key", String),
        ForeignKeyConstraint(
            ["run_id", "position"],
            ["catalogue_levels.run_id", "catalogue_levels.position"],
            ondelete="CASCADE",
        ),
        PrimaryKeyConstraint("id"),
    )
    op.create_index("catalogue_metrics_of_level", "catalogue_metrics", ["run_id", "position"])
    op.create_index(
        "catalogue_metrics_that_compare",
        "catalogue_metrics",
        ["comparable_key", "family", "metric"],
    )


def _verdicts_and_baselines() -> None:
    op.create_table(
        "catalogue_verdicts",
        _needed("id", Integer),
        _needed("run_id", String),
        _needed("kind", String),
        _needed("level", String),
        _needed("family", String),
        _needed("subject", String),
        _needed("verdict", String),
        _needed("detail", String),
        ForeignKeyConstraint(["run_id"], ["catalogue_runs.id"], ondelete="CASCADE"),
        PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_catalogue_verdicts_run_id", "catalogue_verdicts", ["run_id"])
    op.create_table(
        "catalogue_baselines",
        _needed("id", Integer),
        _needed("name", String),
        _needed("scenario", String),
        _needed("machine", String),
        _needed("created", String),
        _needed("note", String),
        PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "catalogue_baselines_by_name",
        "catalogue_baselines",
        ["name", "scenario", "machine"],
        unique=True,
    )
    op.create_table(
        "catalogue_baseline_runs",
        _needed("baseline_id", Integer),
        _needed("position", Integer),
        _needed("run_id", String),
        ForeignKeyConstraint(["baseline_id"], ["catalogue_baselines.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["run_id"], ["catalogue_runs.id"]),
        PrimaryKeyConstraint("baseline_id", "position"),
    )


def _alerts() -> None:
    op.create_table(
        "catalogue_alerts",
        _needed("id", String),
        _needed("scenario", String),
        _needed("state", String),
        _needed("raised", String),
        _needed("acknowledged", String),
        _needed("note", String),
        _needed("cleared", String),
        _needed("undelivered", JSON),
        PrimaryKeyConstraint("id"),
    )
    texts = ("target", "level", "family", "metric", "unit", "kind", "tier", "severity")
    runs = ("first_bad_run", "last_good_run", "comparison", "pair")
    op.create_table(
        "catalogue_alert_metrics",
        _needed("alert_id", String),
        _needed("position", Integer),
        *(_needed(name, String) for name in (*texts, *runs)),
        _needed("higher_is_better", Boolean),
        *(_needed(name, Double) for name in ("effect", "low", "high")),
        ForeignKeyConstraint(["alert_id"], ["catalogue_alerts.id"], ondelete="CASCADE"),
        PrimaryKeyConstraint("alert_id", "position"),
    )
