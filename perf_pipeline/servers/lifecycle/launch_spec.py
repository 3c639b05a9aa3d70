"""What a guardian runs, as one line of JSON.

Standard library only: the guardian starts in a few hundredths of a second.
"""

from __future__ import annotations

import json
import signal
from dataclasses import asdict, dataclass
from pathlib import Path

from perf_pipeline.lifeline import ProcessStamp

FOLDER_PREFIX = "perf_pipeline-server-"
GUARDIAN_FILE = "guardian.json"
GUARDIAN = "guardian"
"""Key of the guardian's stamp in that file."""
LOG_FILE = "server.log"
REVIVES = "revives"
"""Key in the file of a guardian that heeds ``REVIVE_SIGNAL``; an older one would end."""
REVIVE_SIGNAL = signal.SIGUSR1
"""Has a guardian start its server again, if that has ended."""


@dataclass(frozen=True)
class LaunchSpec:
    """One server and its folder, to be started and to be cleared away.

    Attributes:
        service: Name of the service; for people who read the folder.
        folder: Made by the guardian, removed by it with everything in it; must not exist.
        owner: The process for whom the server runs; when it ends, the server does.
        files: Name in the folder to text: files that the commands need.
        prepare: Commands that run before the server, one after the other.
        serve: The server, in the foreground.
        stop_signal: Ends it quickly; SIGKILL follows if it does not.
        lock_file: Name in the folder of the file that would keep a killed PostgreSQL from
            starting again, and that names its System V segment; None for others.
        run_as: Numeric user that the commands change to and who must own the folder; None when
            they do not.
        disk_mb: Size of a file system of its own for the data, in memory; None for the folder's.
        log_folder: Where the guardian logs if it belongs to no run; empty for nowhere.
        secrets: What no line of its log may hold.
    """

    service: str
    folder: Path
    owner: ProcessStamp
    files: dict[str, str]
    prepare: list[list[str]]
    serve: list[str]
    stop_signal: int
    lock_file: str | None
    run_as: int | None
    disk_mb: int | None = None
    log_folder: str = ""
    secrets: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Return the specification as one line."""
        return json.dumps({**asdict(self), "folder": str(self.folder), "owner": list(self.owner)})

    @classmethod
    def from_json(cls, line: str) -> LaunchSpec:
        """Read what ``to_json`` wrote."""
        values = json.loads(line)
        values["folder"] = Path(values["folder"])
        values["owner"] = ProcessStamp(*values["owner"])
        return cls(**values)
