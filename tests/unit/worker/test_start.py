"""What a process that runs a user's own code can import."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from perf_pipeline.config.settings import PROJECT
from perf_pipeline.loadgen.environment.interpreter import base_interpreter
from perf_pipeline.loadgen.environment.user_code import START, UserCode
from perf_pipeline.worker.start import insert_folder

MAIN = """
import {imported}
def main(arguments):
    print({shown})
    return 0
"""


def started(
    folder: Path, imported: str, shown: str, python: Path | None = None, **changes: Any
) -> str:
    """Run a module of a folder as if it were one of ours; returns what it prints."""
    (folder / "a_module.py").write_text(MAIN.format(imported=imported, shown=shown))
    user_code = UserCode(str(folder), str(folder))
    command = user_code.command(python or base_interpreter(), "a_module", "argument")
    asked = subprocess.run(
        command, cwd=folder, env=changes, capture_output=True, text=True, check=False
    )
    assert asked.returncode == 0, asked.stderr
    return asked.stdout.strip()


@pytest.mark.parametrize("name", ["queue", "types", "random", "socket", "sqlite3", "asyncio"])
def test_a_file_called_like_a_module_of_python_does_not_take_its_place(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong one')")
    found = started(tmp_path, name, f"{name}.__file__")
    assert str(tmp_path) not in found


@pytest.mark.parametrize("name", ["assets", "tests", "infra", "perf", "conftest"])
def test_a_file_of_the_users_is_found_whatever_ours_are_called(tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.py").write_text("")
    assert started(tmp_path, name, f"{name}.__file__") == str(tmp_path / f"{name}.py")


def test_our_own_package_cannot_be_replaced(tmp_path: Path) -> None:
    """Not by the user's folder, nor by one that a start-up file has imported."""
    for parts in (("perf_pipeline",), ("start", "perf_pipeline")):
        package = tmp_path.joinpath(*parts)
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("")
        (package / "lifeline.py").write_text("")
    (tmp_path / "start" / "sitecustomize.py").write_text("import perf_pipeline.lifeline")
    found = started(
        tmp_path,
        "perf_pipeline.lifeline",
        "perf_pipeline.lifeline.__file__",
        PYTHONPATH=str(tmp_path / "start"),
    )
    assert found == str(PROJECT / "perf_pipeline" / "lifeline.py")


def test_nothing_else_of_ours_is_on_the_path_and_no_argument_is_left(tmp_path: Path) -> None:
    shown = "sys.path, sys.argv, sorted(n for n in sys.modules if n.startswith('perf'))"
    path, argv, modules = eval(started(tmp_path, "sys", f"({shown})"))  # noqa: S307 our own
    assert str(PROJECT) not in path
    assert argv == [str(START)]
    assert modules == ["perf_pipeline"]


def test_the_users_folder_lies_behind_the_standard_library_and_before_packages() -> None:
    library = str(Path(os.__file__).parent)
    path = ["/x.zip", library, f"{library}/lib-dynload", f"{library}/site-packages"]
    insert_folder("/mine", path)
    assert path == [*path[:3], "/mine", f"{library}/site-packages"]
    path = []
    insert_folder("/mine", path)
    assert path == ["/mine"]


def test_a_child_that_multiprocessing_spawns_finds_the_users_modules_and_ours(
    tmp_path: Path,
) -> None:
    (tmp_path / "work.py").write_text(
        "def double(x):\n    import perf_pipeline.lifeline\n    return 2 * x\n"
    )
    found = started(
        tmp_path,
        "multiprocessing, work",
        "multiprocessing.get_context('spawn').Pool(1).map(work.double, [21])",
        python=Path(sys.executable),
    )
    assert found == "[42]"
