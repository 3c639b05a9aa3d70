"""The layers of the project, as import-linter reads them from pyproject.toml."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_imports_only_go_down_and_dagster_stays_in_assets() -> None:
    """Every contract is kept, and there are at least the three that the design names."""
    linter = Path(sys.executable).with_name("lint-imports")
    linted = subprocess.run(
        [linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert linted.returncode == 0, linted.stdout + linted.stderr
    kept = [line for line in linted.stdout.splitlines() if line.endswith(" KEPT")]
    assert len(kept) >= 3
    assert any(line.startswith("Dagster only in assets") for line in kept)


@pytest.mark.parametrize("package", ["dagster", "scipy"])
def test_the_command_line_starts_without_what_takes_long_to_import(package: str) -> None:
    """Dagster takes 0.7 s and 100 MB, scipy 0.3 to 1 s: only what needs them should pay."""
    program = (
        "import sys; from perf_pipeline.cli.app import whole_app; whole_app(); "
        f"print({package!r} in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "False\n"


@pytest.mark.parametrize("package", ["polars", "numpy", "jinja2", "psycopg"])
def test_the_list_of_commands_needs_nothing_that_measures_or_draws(package: str) -> None:
    """``perf-pipeline --help`` took 0.75 s with them, and takes 0.2 s."""
    program = (
        "import sys; from perf_pipeline.cli.app import call; call(['--help']); "
        f"print({package!r} in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout.endswith("False\n")


@pytest.mark.parametrize(
    ("module", "packages"),
    [
        ("perf_pipeline.cli.run", ["polars", "numpy", "scipy", "jinja2", "sqlalchemy"]),
        (
            "assets.definitions",
            ["polars", "numpy", "jinja2", "typer", "rich", "vl_convert", "psycopg"],
        ),
        ("perf_pipeline.report.run.files", ["polars", "numpy", "scipy", "vl_convert"]),
        ("perf_pipeline.cli.outcome", ["polars", "numpy", "scipy", "sqlalchemy"]),
    ],
)
def test_what_people_wait_for_begins_without_what_others_need(
    module: str, packages: list[str]
) -> None:
    """A command, the job that loads, and the report: each package takes some 0.1 s to import.

    The job took 3.5 s of processor time to import where it takes 1.9 s without them: the first
    workflow waits for that.
    """
    program = (
        f"import sys; import {module}; print([one for one in {packages} if one in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout.endswith("[]\n")
