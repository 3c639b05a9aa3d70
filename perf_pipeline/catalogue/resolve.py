"""From the name of a baseline to its runs: ``pinned:NAME``, ``rolling:N``, ``branch:NAME``.

``pinned:NAME``  the runs that the name stands for in this scenario, on this machine if it has any
``rolling:N``    the last N runs before this one with a valid level that compares with one of it
``branch:NAME``  of the runs of a git branch that compare: those of the newest commit that the
                 commit under test was forked from, else those of the branch's latest commit
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import and_, or_, select

from perf_pipeline.catalogue.baselines import list_baselines, no_baseline
from perf_pipeline.catalogue.filing import git_of, utc_text
from perf_pipeline.catalogue.old_runs import file_missing_runs
from perf_pipeline.catalogue.tables import Level, Run
from perf_pipeline.config.settings import PROJECT
from perf_pipeline.errors import CatalogueError
from perf_pipeline.host.git_history import fork_ancestors
from perf_pipeline.metrics.matching import comparable_key, level_matches, machine_of
from perf_pipeline.samples.run_folder import RunFolder
from perf_pipeline.samples.run_list import list_runs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Select

    from perf_pipeline.catalogue.baselines import PinnedBaseline
    from perf_pipeline.catalogue.store import Catalogue
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

FORMS = "pinned:NAME, rolling:N or branch:NAME"
ROLLING = "rolling:"
_KINDS = ("pinned", "rolling", "branch")
FILED_MAX = 200
"""The newest runs of a results folder are looked at; filing that many takes a second, once."""


def is_baseline_name(text: str) -> bool:
    """Return whether a text is meant as the name of a baseline."""
    return text.partition(":")[0] in _KINDS and ":" in text


def resolve_baseline(
    catalogue: Catalogue,
    name: str,
    like: RunMetrics | None,
    *,
    search_path: str,
    notify: Callable[[str], None] = lambda _line: None,
) -> tuple[str, ...]:
    """Return the ids of the runs that a baseline stands for, oldest first.

    Args:
        catalogue: Where they are.
        name: ``pinned:NAME``, ``rolling:N`` or ``branch:NAME``.
        like: The run that will be compared with them; None where there is none, which a pinned
            baseline of one scenario and machine allows.
        search_path: Where git is looked for, which knows the fork points of branches.
        notify: Called with a line where the baseline is less than what was asked for.

    Raises:
        CatalogueError: There is no such baseline, or no run that compares.
    """
    kind, _, value = name.partition(":")
    if kind not in _KINDS or not value:
        raise CatalogueError(f"{name!r} is not the name of a baseline: write {FORMS}")
    if kind == "pinned":
        return _pinned(catalogue, value, like)
    if like is None:
        raise CatalogueError(f"{name} needs a run to compare with: only like runs are in it")
    if kind == "rolling":
        return _rolling(catalogue, value, like, notify)
    return _of_branch(catalogue, value, like, search_path, notify)


def baseline_folders(
    catalogue: Catalogue,
    name: str,
    like: RunMetrics | None,
    *,
    results: Path,
    search_path: str,
    notify: Callable[[str], None] = lambda _line: None,
) -> tuple[RunFolder, ...]:
    """Return the folders of the runs that a baseline stands for, oldest first.

    The newest runs of the results folder are filed first, as far as they are not.

    Args:
        catalogue: As of ``resolve_baseline``, and the others that it has.
        name: Likewise.
        like: Likewise.
        results: Where the runs are looked for first.
        search_path: As of ``resolve_baseline``.
        notify: Likewise.

    Raises:
        CatalogueError: Likewise, or the folder of one of the runs is gone.
    """
    if not name.startswith("pinned:"):
        for line in file_missing_runs(catalogue, list_runs(results)[-FILED_MAX:]).unread:
            notify(f"not in {name}: {line}")
    ids = resolve_baseline(catalogue, name, like, search_path=search_path, notify=notify)
    with catalogue.reading() as session:
        rows = session.execute(select(Run.id, Run.folder).where(Run.id.in_(ids)))
        filed = {row.id: row.folder for row in rows}
    return tuple(_folder(name, run_id, results, Path(filed[run_id])) for run_id in ids)


def _folder(name: str, run_id: str, results: Path, filed: Path) -> RunFolder:
    for place in (results / run_id, filed):
        if (place / "run.json").exists():
            return RunFolder(place)
    raise CatalogueError(
        f"{name}: run {run_id} is neither in {results} nor at {filed}, from where it was added: "
        "its figures are in the history, and cannot be compared with without its folder"
    )


def _pinned(catalogue: Catalogue, name: str, like: RunMetrics | None) -> tuple[str, ...]:
    found = list_baselines(catalogue, name)
    if not found:
        raise no_baseline(catalogue, name)
    if like is not None:
        scenario, machine = like.manifest.scenario, machine_of(like.manifest)
        found = _narrowed(found, name, [one for one in found if one.scenario == scenario], scenario)
        # Of another machine it still names its runs: whoever compares says what differs.
        found = tuple(one for one in found if one.machine == machine) or found
    if len(found) > 1:
        places = "; ".join(f"{one.scenario} on {one.machine}" for one in found)
        raise CatalogueError(
            f"baseline {name} has runs for {places}, and none of them is meant more than the "
            "others: name the runs"
        )
    return found[0].runs


def _narrowed(
    found: Sequence[PinnedBaseline], name: str, fitting: list[PinnedBaseline], scenario: str
) -> tuple[PinnedBaseline, ...]:
    if not fitting:
        others = ", ".join(dict.fromkeys(one.scenario for one in found))
        raise CatalogueError(
            f"baseline {name} has no run of scenario {scenario} (it has runs of {others}): pin one "
            f"with `perf-pipeline baseline pin {name} RUN`"
        )
    return tuple(fitting)


def _rolling(
    catalogue: Catalogue, count: str, like: RunMetrics, notify: Callable[[str], None]
) -> tuple[str, ...]:
    if not (count.isdecimal() and int(count) > 0):
        raise CatalogueError(f"rolling:{count} needs a number of runs, such as rolling:10")
    with catalogue.reading() as session:
        newest = session.scalars(_comparable(like).limit(int(count))).all()
        found = tuple(run.id for run in reversed(newest))
    if not found:
        raise _nothing_compares(f"rolling:{count}", like)
    if len(found) < int(count):
        few = "1 valid run" if len(found) == 1 else f"{len(found)} valid runs"
        notify(f"rolling:{count}: only {few} before {like.run_id} can be compared with it")
    return found


def _of_branch(
    catalogue: Catalogue,
    branch: str,
    like: RunMetrics,
    search_path: str,
    notify: Callable[[str], None],
) -> tuple[str, ...]:
    with catalogue.reading() as session:
        wanted = _comparable(like).where(Run.git_branch == branch, Run.git_dirty.is_(False))
        runs = [(run.id, run.git_commit) for run in session.scalars(wanted)]
    if not runs:
        changed = "A run of files that differ from their commit is not of the branch. "
        raise _nothing_compares(f"branch:{branch}", like, changed)
    measured = {commit for _, commit in runs}
    code = like.manifest.user_code
    folder = Path(code.folder) if code else PROJECT
    own_branch, own_commit, _ = git_of(like.manifest)
    commits = fork_ancestors(folder, own_commit, branch, search_path)
    commit = next((one for one in commits if one in measured), runs[0][1])
    if commit not in commits and own_branch != branch:
        why = "no run of it is at or before the fork point" if commits else "git does not know it"
        notify(f"branch:{branch}: the latest run, of commit {commit[:12]}; {why}")
    return tuple(run_id for run_id, at in reversed(runs) if at == commit)


def _comparable(like: RunMetrics) -> Select[Run]:
    """Select earlier runs with a valid level that compares with one of a run, newest first."""
    keys = {comparable_key(level_matches(like.manifest, level)) for level in like.levels}
    created = utc_text(datetime.fromisoformat(like.manifest.started_at))
    compares = select(Level.run_id).where(
        Level.comparable_key.in_(sorted(filter(None, keys))),
        Level.validity == "valid",
        Level.run_id == Run.id,
    )
    earlier = or_(Run.created < created, and_(Run.created == created, Run.id < like.run_id))
    return select(Run).where(compares.exists(), earlier).order_by(Run.created.desc(), Run.id.desc())


def _nothing_compares(name: str, like: RunMetrics, more: str = "") -> CatalogueError:
    return CatalogueError(
        f"{name} is empty: no valid run before {like.run_id} has the same load, target, settings, "
        f"packages, servers and machine. {more}Older runs are added with `perf-pipeline catalogue "
        "add FOLDER`"
    )
