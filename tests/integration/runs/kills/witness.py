"""Witnesses of what happened who do not share a line of code with what is tested.

``watch_commits`` has PostgreSQL itself note every row of results in the transaction that inserts
it, in a table that outlives the run's schema and has no key: a row that came twice stands there
twice. ``acknowledged`` reads the blocks of a level's journals whose commit has returned.
"""

from __future__ import annotations

import sqlite3
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from pathlib import Path

_WATCH = """
CREATE SCHEMA witness;
CREATE TABLE witness.committed (run_id text, level int, number bigint);
CREATE FUNCTION witness.note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO witness.committed VALUES (NEW.run_id, NEW.level, NEW.number);
  RETURN NULL;
END $$;
CREATE FUNCTION witness.watch() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE made record;
BEGIN
  FOR made IN SELECT object_identity AS name FROM pg_event_trigger_ddl_commands()
    WHERE command_tag = 'CREATE TABLE' AND object_identity LIKE 'perf_%.results'
  LOOP
    EXECUTE format('CREATE TRIGGER note AFTER INSERT ON %s FOR EACH ROW '
                   'EXECUTE FUNCTION witness.note()', made.name);
  END LOOP;
END $$;
CREATE EVENT TRIGGER watch ON ddl_command_end WHEN TAG IN ('CREATE TABLE')
  EXECUTE FUNCTION witness.watch();
"""

_HEADER_WORDS, _SLOT_WORDS = 16, 5
_RECORD = struct.Struct("<qqqqIBBBB")


@dataclass(frozen=True)
class Block:
    """One committed block of one worker's journal."""

    journal: str
    seq: int
    payload: bytes

    @property
    def records(self) -> list[tuple[int, ...]]:
        """Its records: number, intended start, start, end, slot, kind, outcome, class, flags."""
        return list(_RECORD.iter_unpack(self.payload))


def watch_commits(url: str) -> None:
    """Have the server note every committed row of every run that begins from now on."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_WATCH)


def committed(url: str, run_id: str, level: int) -> list[int]:
    """Return the number of every row of a level that was committed, as often as it was."""
    query = "SELECT number FROM witness.committed WHERE run_id = %s AND level = %s"
    with psycopg.connect(url) as connection:
        return [number for (number,) in connection.execute(query, [run_id, level])]


def acknowledged(level: Path) -> set[Block]:
    """Return the blocks that the journals of a level hold now; a journal in the making has none."""
    return {block for path in sorted(level.glob("worker-*.sqlite")) for block in _blocks(path)}


def started(level: Path) -> int:
    """Return how many workflows of a level were started, from the stamps of its slots."""
    total = 0
    for path in level.glob("worker-*.slots"):
        words = memoryview(path.read_bytes()).cast("q")
        total += sum(words[_HEADER_WORDS::_SLOT_WORDS])
    return total


def _blocks(path: Path) -> list[Block]:
    journal = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
    try:
        rows = journal.execute("SELECT seq, payload FROM block").fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error) or "unable to open" in str(error):
            return []
        raise
    finally:
        journal.close()
    return [Block(path.name, seq, payload) for seq, payload in rows]
