"""The fault journal: what is in effect now, so that whoever comes next can take it back.

One file a failure, written and synced before it is injected, removed when it is gone. A file that
is found later names a failure whose run was killed (``sweep.py``). What happened to failures is in
the level's folder; this journal lies in the state folder, the same for all runs of the user.

No file holds a password: URLs are written without it, and the sweep finds the server by that.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perf_pipeline.config.fault.fault_kinds import FAULT_KINDS
from perf_pipeline.held_folder import read_own
from perf_pipeline.lifeline import ProcessStamp
from perf_pipeline.samples.run_file import write_atomically
from perf_pipeline.servers.lifecycle.started_server import started_server
from perf_pipeline.servers.server import redacted_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.config.fault.fault_window import SettingValue

FOLDER = "faults"


@dataclass(frozen=True)
class OpenFault:
    """A failure that is in effect, or was when its run was killed.

    Attributes:
        kind: A row of ``FAULT_KINDS``.
        name: As reports say it.
        entry: What ``undo_left_behind`` needs; empty if it dies with its process.
        level: Folder of its level.
        number: Its place in the scenario.
        own_folder: Folder of its own files, to be removed.
        server_folder: Of the server that it was done to, if we started that; else empty.
        owner: The process for which it was injected.
        injector: The process that injected it.
        guardian: The process that takes it back when that dies; None without one.
        undone: Who took it back after the run was killed; empty if nobody has yet.
    """

    kind: str
    name: str
    entry: Mapping[str, SettingValue]
    level: str
    number: int
    own_folder: str
    server_folder: str
    owner: ProcessStamp
    injector: ProcessStamp
    guardian: ProcessStamp | None
    undone: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it ready for JSON, with what passwords ``entry`` has."""
        return asdict(self)

    @property
    def has_server_ended(self) -> bool:
        """The server was one of ours and has ended with its run, and the failure with it."""
        return self.server_folder != "" and started_server(Path(self.server_folder)) is None

    @property
    def is_watched(self) -> bool:
        """Its injector or its guardian may still live, and will take it back."""
        processes = (self.injector, self.guardian)
        return any(one is not None and not one.is_gone() for one in processes)


def journal_folder(state_dir: Path) -> Path:
    """Return the folder of the journal, made if it is missing."""
    folder = state_dir / FOLDER
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def new_path(folder: Path) -> Path:
    """Return the path of a new entry in the journal's folder."""
    return folder / f"{secrets.token_hex(8)}.json"


def write_fault(path: Path, fault: OpenFault) -> None:
    """Write an entry, whole or not at all, and sync it to the disk."""
    entry = {name: _without_password(value) for name, value in fault.entry.items()}
    write_atomically(path, json.dumps(replace(fault, entry=entry).as_json()).encode())


def mark_undone(path: Path, who: str) -> None:
    """Note that a failure was taken back after its run was killed; no entry is fine."""
    fault = read_fault(path)
    if fault is not None:
        write_fault(path, replace(fault, undone=who))


def read_fault(path: Path) -> OpenFault | None:
    """Return an entry; None for a file that is missing, or that this user's runs did not write."""
    try:
        fault = open_fault(json.loads(read_own(path) or ""))
    except (ValueError, KeyError, TypeError):
        return None
    return fault if fault.kind in FAULT_KINDS and isinstance(fault.entry, dict) else None


def open_fault(values: dict[str, Any]) -> OpenFault:
    """Return the failure of a JSON object.

    Raises:
        ValueError, KeyError, TypeError: It is none.
    """
    stamps = {
        name: values[name] and ProcessStamp.from_json(values[name])
        for name in ("owner", "injector", "guardian")
    }
    return OpenFault(**(values | stamps))


def read_journal(state_dir: Path) -> dict[Path, OpenFault]:
    """Return the entries of the journal by their files."""
    found = {path: read_fault(path) for path in sorted((state_dir / FOLDER).glob("*.json"))}
    return {path: fault for path, fault in found.items() if fault is not None}


def remove_fault(path: Path) -> None:
    """Remove the entry of a failure that is gone; a second call is fine."""
    path.unlink(missing_ok=True)


def _without_password(value: SettingValue) -> SettingValue:
    return redacted_url(value) if isinstance(value, str) and "://" in value else value
