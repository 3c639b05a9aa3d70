"""A stack that Compose cannot start, and what is remembered of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.settings import current_settings
from perf_pipeline.config.stack_settings import StackSettings
from perf_pipeline.servers.stack.images import main
from perf_pipeline.servers.stack.stack import StackError, stack_status, start_stack
from tests.integration.conftest import settings_in
from tests.unit.servers.stack.fake_engine import fake_engine

if TYPE_CHECKING:
    from pathlib import Path

_COMPOSE = """#!/bin/sh
case "$*" in
*" version "*) echo 2.26.1 ;;
*" config "*) echo '{"services": {"redis": {}, "mysql": {}}}' ;;
*) echo 'Error response from daemon: no such host' >&2; exit 18 ;;
esac
"""


def test_a_stack_whose_images_cannot_be_pulled_has_no_container_that_was_removed(
    tmp_path: Path,
) -> None:
    """No service is said to have lost its container, then or by a later ``status``."""
    program = tmp_path / "bin/docker"
    program.parent.mkdir()
    program.write_text(_COMPOSE, encoding="utf-8")
    program.chmod(0o755)
    stack = StackSettings(docker_socket=tmp_path / "s", env_file=tmp_path / "stack.env")
    settings = replace(
        settings_in(tmp_path), stack=stack, search_path=f"{program.parent}:/usr/bin:/bin"
    )
    with fake_engine(tmp_path / "s", lambda *_asked: (200, [])):
        with pytest.raises(StackError) as raised:
            start_stack(settings, ["databases"], lambda _sentence: None)
        assert "no such host" in str(raised.value)
        assert "No container was made." in str(raised.value)
        assert "removed" not in str(raised.value)
        assert stack_status(settings).services == ()


_WITH_BUILDS = """#!/bin/sh
case "$*" in
*" version "*) echo 2.26.1 ;;
*" config "*) echo '{"services": {"redis": {}, "ours": {"build": {}, "image": "o:1"}}}' ;;
*) echo "$*" >> "$0.log" ;;
esac
"""


def test_make_images_builds_what_a_start_builds_and_starts_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin/docker"
    program.parent.mkdir()
    program.write_text(_WITH_BUILDS, encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/s")
    monkeypatch.setenv("PERF_PIPELINE_STACK_ENV", str(tmp_path / "stack.env"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    assert main(["dagster"]) == 0
    assert capsys.readouterr().out == "building the images of ours\no:1 is built\n"
    with fake_engine(tmp_path / "s", lambda *_asked: (200, [])):
        start_stack(current_settings(), ["dagster"], print)

    calls = (tmp_path / "bin/docker.log").read_text(encoding="utf-8").splitlines()
    words = [call.partition("--progress quiet ")[2] for call in calls]
    assert words == ["build --quiet ours", "build --quiet ours", words[2]]
    assert words[2].startswith("up ")
    assert main(["cellar"]) == 2
    assert "there is no profile 'cellar'" in capsys.readouterr().err
