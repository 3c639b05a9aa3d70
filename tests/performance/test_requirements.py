"""Options and marks of the tests: what is unavailable is skipped, and ``--timeout`` acts."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.sandbox import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration

NEEDS_POSTGRES = """
import pytest

@pytest.mark.requires_postgres
def test_on_postgresql():
    raise AssertionError("it ran")
"""

TAKES_LONG = """
import time

import pytest

pytestmark = pytest.mark.timeout(900)

def test_that_takes_long():
    time.sleep(60)
"""


def _ended(folder: Path, content: str, *options: str) -> str:
    """Run a file of tests under the project's own conftest; returns what pytest printed."""
    file = folder / "test_it.py"
    file.write_text(content, encoding="utf-8")
    ours = ("-p", "tests.conftest", "-p", "no:cacheprovider", "-rs", "--rootdir", str(ROOT))
    configuration = ("-c", str(ROOT / "pyproject.toml"))
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *ours, *configuration, *options, str(file)],
        cwd=ROOT,
        env={
            "PATH": str(folder),
            "HOME": str(folder),
            "PERF_PIPELINE_POSTGRES_URL": "postgresql://u:secret@127.0.0.1:9/d",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.stdout + ended.stderr


def test_a_test_that_needs_postgresql_is_skipped_where_there_is_none(tmp_path: Path) -> None:
    """Nothing listens on port 9, where the user says that PostgreSQL is."""
    printed = _ended(tmp_path, NEEDS_POSTGRES)
    assert "1 skipped" in printed, printed
    assert "requires_postgres: postgres: postgresql://" in printed
    assert "secret" not in printed


def test_a_timeout_of_the_command_line_acts_on_tests_with_a_mark_of_one(tmp_path: Path) -> None:
    """The scenario tests are marked with 900 s, which took precedence over ``--timeout=300``."""
    printed = _ended(tmp_path, TAKES_LONG, "--timeout=0.5")
    assert "1 failed" in printed, printed
    assert "Timeout (>0.5s)" in printed
