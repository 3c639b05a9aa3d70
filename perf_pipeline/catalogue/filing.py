"""Files runs in the catalogue: what a run measured, as rows."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import delete, inspect, select

from perf_pipeline.catalogue.store import open_catalogue
from perf_pipeline.catalogue.tables import COMPARED_ROLE, Level, Metric, Run, Verdict
from perf_pipeline.errors import CatalogueError
from perf_pipeline.metrics.level_values import level_values
from perf_pipeline.metrics.matching import (
    comparable_key,
    level_matches,
    machine_of,
    target_version,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.orm import Session

    from perf_pipeline.catalogue.store import Catalogue
    from perf_pipeline.metrics.types.comparison import Comparison
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.samples.manifest import Manifest

COMPARISON = "comparison"
"""Kind of the verdicts of comparisons, which stay when a run is filed again."""


def file_run(catalogue: Catalogue, metrics: RunMetrics, folder: Path) -> bool:
    """File a run, in place of what the catalogue has of it.

    Args:
        catalogue: The catalogue.
        metrics: What the run measured.
        folder: Its folder, or the archive that it is in. A folder that is known and still there
            stays.

    Returns:
        Whether the run is new to the catalogue.

    Raises:
        CatalogueError: It could not be written.
    """
    with catalogue.writing() as session:
        return file_in(session, metrics, folder)


def file_in(session: Session, metrics: RunMetrics, folder: Path) -> bool:
    """File a run in a writer's session; as ``file_run``."""
    run = _run(metrics, str(folder))
    known = session.get(Run, run.id)
    if known is None:
        session.add(run)
        return True
    if Path(known.folder).is_dir() and not folder.is_dir():
        run.folder = known.folder
    session.execute(delete(Level).where(Level.run_id == run.id))
    own = Verdict.kind != COMPARISON
    session.execute(delete(Verdict).where(Verdict.run_id == run.id, own))
    for column in inspect(Run).column_attrs:
        setattr(known, column.key, getattr(run, column.key))
    for verdict in run.verdicts:
        verdict.run_id = run.id
    session.add_all([*run.levels, *run.verdicts])
    return False


def file_measured_run(
    metrics: RunMetrics, folder: Path, url: str | None, notify: Callable[[str], None]
) -> None:
    """File a run that was just measured; what prevents it costs the run nothing, and is notified.

    Args:
        metrics: What it measured.
        folder: Its folder, in the results folder.
        url: Of the settings.
        notify: Called with a line if it could not be filed.
    """
    try:
        file_run(open_catalogue(folder.parent, url), metrics, folder.absolute())
    except CatalogueError as error:
        notify(f"run {metrics.run_id} is complete, and not in the catalogue: {error}")


def file_comparison(
    comparison: Comparison, results: Path, url: str | None, notify: Callable[[str], None]
) -> None:
    """File the verdicts of a comparison on its candidate's runs, of those that are filed.

    What prevents it costs the comparison nothing, and is notified.

    Args:
        comparison: The comparison.
        results: The results folder.
        url: Of the settings.
        notify: Called with a line if they could not be filed.
    """
    try:
        with open_catalogue(results, url).writing() as session:
            its_own = (Verdict.kind == COMPARISON, Verdict.detail == comparison.comparison_id)
            session.execute(delete(Verdict).where(*its_own))
            wanted = select(Run.id).where(Run.id.in_(comparison.candidate.runs))
            session.add_all(
                Verdict(
                    run_id=run_id,
                    kind=COMPARISON,
                    level=change.level,
                    family=change.family,
                    subject=f"{change.metric} against {comparison.baseline.name}",
                    verdict=change.verdict,
                    detail=comparison.comparison_id,
                )
                for run_id in session.scalars(wanted).all()
                for change in comparison.changes
            )
    except CatalogueError as error:
        notify(f"comparison {comparison.comparison_id} is not in the catalogue: {error}")


def utc_text(time: datetime) -> str:
    """Return a time as the catalogue stores it."""
    return time.astimezone(UTC).isoformat(timespec="seconds")


def _run(metrics: RunMetrics, folder: str) -> Run:
    manifest = metrics.manifest
    branch, commit, dirty = git_of(manifest)
    return Run(
        id=metrics.run_id,
        folder=folder,
        scenario=manifest.scenario,
        target=manifest.target.name,
        target_version=target_version(manifest, manifest.target.name),
        packages=manifest.target.packages,
        machine=machine_of(manifest),
        git_branch=branch,
        git_commit=commit,
        git_dirty=dirty,
        plan_hash=hashlib.sha256(json.dumps(manifest.plan_hashes).encode()).hexdigest(),
        status=metrics.status,
        validity=metrics.validity,
        created=utc_text(datetime.fromisoformat(manifest.started_at)),
        levels=[_level(metrics, position, level) for position, level in enumerate(metrics.levels)],
        verdicts=list(_verdicts(metrics)),
    )


def git_of(manifest: Manifest) -> tuple[str, str, bool]:
    """Return branch, commit and dirtiness of the code under test."""
    if manifest.user_code is not None:
        code = manifest.user_code
        return code.git_branch, code.git_commit, code.git_dirty
    harness = manifest.harness
    return harness.git_branch, harness.git_commit or "", bool(harness.git_dirty)


def _level(metrics: RunMetrics, position: int, level: LevelMetrics) -> Level:
    matches = level_matches(metrics.manifest, level)
    key = comparable_key(matches)
    return Level(
        run_id=metrics.run_id,
        position=position,
        label=level.label,
        repeat=level.repeat,
        role=level.role if metrics.manifest.ab is None else COMPARED_ROLE,
        target=level.target,
        target_version=target_version(metrics.manifest, level.target),
        validity=level.validity,
        samples=(level.response_times or level.service_times).samples,
        comparable_key=key,
        matches=matches,
        metrics=[
            Metric(
                run_id=metrics.run_id,
                position=position,
                family=one.family,
                metric=one.metric,
                unit=one.unit,
                value=one.value,
                low=one.low,
                high=one.high,
                samples=one.samples,
                doubt=one.doubt,
                validity=_validity(level, one.metric),
                comparable_key=key,
            )
            for one in level_values(level)
        ],
    )


def _validity(level: LevelMetrics, metric: str) -> str:
    """Return the validity of a metric: CPU time per workflow stands beside neighbours as well."""
    stands = level.is_only_noisy and metric == "cpu_per_workflow_s"
    return level.validity_if_quiet if stands else level.validity


def _verdicts(metrics: RunMetrics) -> Iterator[Verdict]:
    for level in metrics.levels:
        for slo in level.slos:
            yield _verdict("slo", slo.level, slo.slo.text, slo.verdict, slo.why, slo.family)
    for row in metrics.targets:
        yield _verdict("target", row.level, f"{row.table}: {row.what}", row.verdict)
    for kpi in metrics.kpis:
        yield _verdict("kpi", kpi.level, kpi.what, kpi.grade, kpi.why)


def _verdict(
    kind: str, level: str, subject: str, verdict: str, detail: str = "", family: str = ""
) -> Verdict:
    return Verdict(
        kind=kind, level=level, subject=subject, verdict=verdict, detail=detail, family=family
    )
