"""Files of a run: a link, a pipe or a device in the place of one is neither read nor followed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.samples import run_file
from perf_pipeline.samples.run_file import new_file, read_file, write_atomically

if TYPE_CHECKING:
    from pathlib import Path


def test_a_link_is_neither_read_nor_written_through(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    link = tmp_path / "metrics.json"
    link.symlink_to(secret)
    with pytest.raises(OSError, match="symbolic link"):
        read_file(link)
    write_atomically(link, b"new")
    assert secret.read_bytes() == b"secret"
    assert not link.is_symlink()
    assert read_file(link) == b"new"


def test_a_link_in_the_place_of_the_temporary_file_is_replaced(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    (tmp_path / f".metrics.json.{os.getpid()}.tmp").symlink_to(secret)
    write_atomically(tmp_path / "metrics.json", b"new")
    (tmp_path / ".records.tmp").symlink_to(secret)
    with new_file(tmp_path / ".records.tmp") as file:
        file.write(b"new")
    assert secret.read_bytes() == b"secret"
    assert not (tmp_path / ".records.tmp").is_symlink()


def test_a_pipe_a_device_and_a_folder_do_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "run.json")
    for path in (tmp_path / "run.json", tmp_path, type(tmp_path)("/dev/zero")):
        with pytest.raises(OSError, match="not a regular file"):
            read_file(path)


def test_a_file_beyond_the_bound_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_file, "MAX_JSON_BYTES", 3)
    (tmp_path / "x.json").write_bytes(b"four")
    with pytest.raises(OSError, match="4 bytes; the maximum is 3"):
        read_file(tmp_path / "x.json")


def test_a_missing_file_is_reported_as_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_file(tmp_path / "x.json")
