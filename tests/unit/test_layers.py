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
    ("module", "package"),
    [
        *(("perf_pipeline.cli.run", one) for one in ("polars", "numpy", "scipy", "jinja2")),
        ("assets.definitions", "vl_convert"),
    ],
)
def test_a_run_begins_without_what_measures_and_draws(module: str, package: str) -> None:
    """Each takes some 0.1 s of processor time to import, which the first workflow waits for."""
    program = f"import sys; import {module}; print({package!r} in sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout.endswith("False\n")
