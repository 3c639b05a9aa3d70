"""What cannot be had here is skipped with its reason."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.sandbox import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration

NEEDS_BOTH = """
import pytest

@pytest.mark.requires_docker
def test_on_containers():
    raise AssertionError("it ran")

@pytest.mark.requires_postgres
def test_on_postgresql():
    raise AssertionError("it ran")
"""


def test_a_test_that_needs_docker_or_postgresql_is_skipped_where_there_is_none(
    tmp_path: Path,
) -> None:
    """Nothing listens on port 9, where the user says that PostgreSQL is; the path is empty."""
    file = tmp_path / "test_needs_both.py"
    file.write_text(NEEDS_BOTH, encoding="utf-8")
    options = ("-p", "tests.conftest", "-p", "no:cacheprovider", "-rs", "--rootdir", str(ROOT))
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "-c", str(ROOT / "pyproject.toml"), str(file)],
        cwd=ROOT,
        env={
            "PATH": str(tmp_path),
            "HOME": str(tmp_path),
            "PERF_PIPELINE_POSTGRES_URL": "postgresql://u:secret@127.0.0.1:9/d",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert "2 skipped" in ended.stdout, ended.stdout + ended.stderr
    assert "requires_docker: there is no docker on the path" in ended.stdout
    assert "requires_postgres: postgres: postgresql://" in ended.stdout
    assert "secret" not in ended.stdout
