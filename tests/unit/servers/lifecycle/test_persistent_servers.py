"""Notes of servers that stay are believed only if they are true."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from perf_pipeline.lifeline import own_stamp
from perf_pipeline.servers.lifecycle.persistent_servers import (
    PersistentServer,
    forget_persistent,
    read_persistent,
    write_persistent,
)


def test_a_note_is_read_as_it_was_written_and_by_its_user_alone(tmp_path: Path) -> None:
    """It holds a password."""
    note = _note()
    write_persistent(tmp_path, note)
    write_persistent(tmp_path, note)
    assert read_persistent(tmp_path, "postgres") == note
    (file,) = (tmp_path / "servers").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    forget_persistent(tmp_path, "postgres")
    assert read_persistent(tmp_path, "postgres") is None


def test_a_note_is_alive_only_if_guardian_and_server_both_are() -> None:
    """Each in turn is replaced by another process with its id."""
    note = _note()
    other = note.server._replace(start_ticks=1)
    assert note.is_alive()
    assert not replace(note, server=other).is_alive()
    assert not replace(note, guardian=other).is_alive()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"service": "redis"}', "null"])
def test_what_is_not_a_note_of_ours_is_none(tmp_path: Path, text: str) -> None:
    """A full disk or an older version may have left it."""
    (tmp_path / "servers").mkdir()
    (tmp_path / "servers/redis.json").write_text(text, encoding="ascii")
    assert read_persistent(tmp_path, "redis") is None


def _note() -> PersistentServer:
    mine = own_stamp()
    return PersistentServer("postgres", "postgresql://u:p@h:1/d", mine, mine, Path("/tmp/x"))  # noqa: S108
