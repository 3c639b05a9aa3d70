"""A program of a Debian package: the machine's own, else one unpacked into the cache."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.settings import current_settings
from perf_pipeline.servers.lifecycle.debian import PackageError, program_of

if TYPE_CHECKING:
    from pathlib import Path


def _program(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_a_program_on_path_is_used_as_it_is(tmp_path: Path) -> None:
    own = _program(tmp_path / "bin" / "wrk")
    _program(tmp_path / "debian" / "wrk" / "usr" / "bin" / "wrk")
    settings = replace(current_settings(), cache_dir=tmp_path, search_path=str(tmp_path / "bin"))

    assert program_of("wrk", "wrk", settings) == [str(own)]


def test_an_unpacked_program_finds_the_libraries_that_came_with_it(tmp_path: Path) -> None:
    root = tmp_path / "debian" / "wrk"
    unpacked = _program(root / "usr" / "bin" / "wrk")
    libraries = root / "usr" / "lib" / "x86_64-linux-gnu"
    libraries.mkdir(parents=True)
    settings = replace(current_settings(), cache_dir=tmp_path, search_path="")

    command = program_of("wrk", "wrk", settings)

    assert command == ["env", f"LD_LIBRARY_PATH={libraries}", str(unpacked)]


def test_without_a_package_manager_the_program_is_named(tmp_path: Path) -> None:
    settings = replace(current_settings(), cache_dir=tmp_path, search_path=str(tmp_path))

    with pytest.raises(PackageError, match=r"wrk is not on PATH.*apt-get and dpkg"):
        program_of("wrk", "wrk", settings)
