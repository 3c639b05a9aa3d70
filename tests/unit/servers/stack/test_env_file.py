from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.stack_ports import PASSWORD_VARIABLES
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.servers.stack.env_file import ensure_env_file

if TYPE_CHECKING:
    from pathlib import Path


def test_passwords_are_generated_once_for_the_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "stack.env"
    assert ensure_env_file(path)
    text = path.read_text(encoding="utf-8")
    values = dict(line.split("=", 1) for line in text.splitlines() if not line.startswith("#"))
    assert tuple(values) == PASSWORD_VARIABLES
    assert len(set(values.values())) == len(PASSWORD_VARIABLES)
    assert all(len(value) >= 24 for value in values.values())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not ensure_env_file(path)
    assert path.read_text(encoding="utf-8") == text


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(PerfPipelineError, match=r"none/stack\.env"):
        ensure_env_file(tmp_path / "none" / "stack.env")
