"""Whatever a path turns out to be, the answer is its text or one sentence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from perf_pipeline.config.scenario.scenario_file import MAX_FILE_BYTES, read_text
from perf_pipeline.errors import ScenarioError


def refusal(path: Path) -> str:
    with pytest.raises(ScenarioError) as caught:
        read_text(path)
    (problem,) = caught.value.problems
    assert problem.isprintable()
    return problem


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xef\xbb\xbfa = 1", " line 1: begins with a byte order mark; save it as UTF-8"),
        (b"a = 1\nb = '\xe9'", " line 2: byte 0xe9 is not UTF-8, which TOML is"),
        (b"a" * (MAX_FILE_BYTES + 1), ": is larger than 16,384 bytes, so it is not a scenario."),
    ],
)
def test_bytes_that_are_no_scenario_are_refused(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(data)
    assert refusal(path).startswith(f"{path}{message}")


def test_a_file_of_100_mb_is_refused_without_reading_it(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    with path.open("wb") as file:
        file.truncate(100_000_000)
    assert "is larger than 16,384 bytes" in refusal(path)


def test_what_is_no_regular_file_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    assert refusal(tmp_path) == f"{tmp_path}: cannot be read: is a directory."
    for path in (tmp_path / "pipe.toml", Path("/dev/zero")):
        assert refusal(path) == f"{path}: is not a regular file; give the path of a TOML file."


def test_a_link_is_followed_and_a_broken_or_circular_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("a = 1")
    (tmp_path / "good").symlink_to("real")
    (tmp_path / "broken").symlink_to("nothing")
    (tmp_path / "circle").symlink_to("circle")
    assert read_text(tmp_path / "good") == "a = 1"
    assert "cannot be read: no such file" in refusal(tmp_path / "broken")
    assert "cannot be read: too many levels of symbolic links" in refusal(tmp_path / "circle")


def test_paths_that_cannot_be_paths_are_refused() -> None:
    assert "is not a path" in refusal(Path("a\0b.toml"))
    assert "cannot be read: file name too long" in refusal(Path("x" * 5000))
    assert "\\u001b" in refusal(Path("/no/\x1b[31m.toml"))
    assert "no such file" in refusal(Path("/no/\udce9.toml"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text("a = 1")
    path.chmod(0)
    assert "cannot be read: permission denied" in refusal(path)
