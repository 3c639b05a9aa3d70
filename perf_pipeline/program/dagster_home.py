"""Where Dagster keeps the history of runs: the folder that ``DAGSTER_HOME`` names for a process.

Without one, Dagster makes a temporary folder in the project for every process, which a killed
process leaves behind and a project that is somebody else's does not allow.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.config.settings import PROJECT
from perf_pipeline.errors import PerfPipelineError

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "DAGSTER_HOME"
_CONFIG = "dagster.yaml"
HISTORY = ".dagster"
_TEMPORARY = ".tmp_dagster_home_"
_IN_PROJECT = f": {HISTORY}"


def dagster_environment(
    environ: Mapping[str, str], state_dir: Path, project: Path = PROJECT
) -> dict[str, str]:
    """Return the environment of a Dagster process: its history has a place that can be written to.

    Args:
        environ: ``os.environ``. ``DAGSTER_HOME`` in it is followed: ``make ui`` shows that history.
        state_dir: Where the history is if the project cannot be written to, or is another user's.
        project: The folder with ``dagster.yaml``.

    Raises:
        PerfPipelineError: ``DAGSTER_HOME`` is of no use.
    """
    given = environ.get(VARIABLE, "")
    if given:
        home = _checked(given)
    elif _is_ours(project):
        home = project
    else:
        home = _in_state(state_dir, project)
    return {**environ, VARIABLE: str(home)}


def _checked(given: str) -> Path:
    """Return the user's own folder, or say what is wrong with it."""
    home = Path(os.path.expanduser(given))  # noqa: PTH111 - as Dagster does, without an error
    problem = ""
    if not home.is_absolute():
        problem = "is not an absolute path"
    elif not home.is_dir():
        problem = "is no folder"
    else:
        try:
            with tempfile.TemporaryFile(dir=home):
                pass
        except OSError as error:
            problem = f"cannot be written to ({(error.strerror or str(error)).lower()})"
    if problem:
        raise PerfPipelineError(
            f"{VARIABLE} is {given!r}, which {problem}, so Dagster cannot keep the history of runs "
            "there; unset it (the history is then in the project, or in your state folder), or "
            "name a folder of yours"
        )
    return home


def _is_ours(project: Path) -> bool:
    """Return whether the project is the caller's own and can be written to, its history too.

    In another user's project root could write, but what it wrote would lock the owner out.
    """
    for folder in (project, project / HISTORY):
        try:
            if folder.stat().st_uid != os.geteuid() or not os.access(folder, os.W_OK | os.X_OK):
                return False
        except FileNotFoundError:
            continue
        except OSError:
            return False
    return True


def _in_state(state_dir: Path, project: Path) -> Path:
    """Make a home in the state folder, with the project's configuration."""
    home = state_dir / "dagster"
    text = (project / _CONFIG).read_text(encoding="utf-8")
    folder = json.dumps(str(home / HISTORY)).removesuffix('"')
    lines = (
        f'{line.replace(_IN_PROJECT, f": {folder}")}"' if _IN_PROJECT in line else line
        for line in text.splitlines()
    )
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        (home / _CONFIG).write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError as error:
        raise PerfPipelineError(
            f"Dagster cannot keep the history of runs: {project} is not yours to write to, and "
            f"{home} cannot be written to ({(error.strerror or str(error)).lower()}); set HOME or "
            f"{VARIABLE} to a folder of yours"
        ) from error
    return home


def remove_abandoned_homes(in_use: Path, project: Path = PROJECT) -> list[str]:
    """Remove the temporary homes that killed ``dagster`` commands left in the project.

    A home does not say whose it is, so none is removed while such a command works there.

    Args:
        in_use: The caller's own home.
        project: Where ``dagster`` was called.

    Returns:
        A line for each that was removed.
    """
    homes = [
        home
        for home in sorted(project.glob(f"{_TEMPORARY}*"))
        if home != in_use
        and home.is_dir()
        and not home.is_symlink()
        and home.lstat().st_uid == os.geteuid()
    ]
    if not homes or _dagster_works_in(project):
        return []
    for home in homes:
        shutil.rmtree(home, ignore_errors=True)
    return [f"{home}, the temporary folder of a dagster command that was killed" for home in homes]


def _dagster_works_in(project: Path) -> bool:
    """Return whether another process of ``dagster`` has the project as its current folder."""
    for process in Path("/proc").glob("[0-9]*"):
        if process.name == str(os.getpid()):
            continue
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            is_dagster = any(word.rpartition(b"/")[2] == b"dagster" for word in words)
            if is_dagster and (process / "cwd").samefile(project):
                return True
        except OSError:
            continue  # it has ended, or is another user's, whose homes are not touched
    return False
