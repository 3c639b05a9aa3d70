"""FerretDB is built once, where there is a Go, and what is missing is said."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.settings import Settings, read_settings
from perf_pipeline.servers.mongodb.build_ferretdb import build
from perf_pipeline.servers.mongodb.ferretdb import VERSION, built_folder

if TYPE_CHECKING:
    from pathlib import Path

GO = """#!/bin/sh
case "$1" in
  mod) echo '{"Dir": "MODULE"}';;
  build) test "$(cat build/version/version.txt)" = VERSION && touch "$7" && chmod +x "$7";;
esac
"""
"""Plays ``go``: the module lies in MODULE; a build needs the file that the module lacks."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    environ = {"HOME": str(tmp_path), "PATH": f"{tmp_path}/bin"}
    return read_settings(environ)


def write_go(tmp_path: Path, text: str) -> None:
    go = tmp_path / "bin/go"
    go.parent.mkdir()
    go.write_text(text, encoding="ascii")
    go.chmod(0o755)


def test_it_is_built_once_from_a_copy_with_the_file_that_the_module_lacks(
    tmp_path: Path, settings: Settings
) -> None:
    """The module lies read-only in Go's cache and stays as it is; nothing else stays in ours."""
    version = tmp_path / "module/build/version"
    version.mkdir(parents=True)
    version.chmod(0o500)
    write_go(tmp_path, GO.replace("MODULE", f"{tmp_path}/module").replace("VERSION", VERSION))
    told: list[str] = []
    program = built_folder(settings.cache_dir) / "ferretdb"
    assert build(settings, told.append) == program, told
    assert list(program.parent.iterdir()) == [program]
    assert list(version.iterdir()) == []
    assert build(settings, told.append) == program
    assert len(told) == 1


def test_without_go_or_with_one_that_fails_the_reason_is_said(
    tmp_path: Path, settings: Settings
) -> None:
    told: list[str] = []
    assert build(replace(settings, search_path="/nonexistent"), told.append) is None
    assert "without Go" in told[0]
    write_go(tmp_path, "#!/bin/sh\necho no route to the proxy >&2\nexit 1\n")
    assert build(settings, told.append) is None
    assert told[-1].endswith("failed with exit code 1:\nno route to the proxy")
