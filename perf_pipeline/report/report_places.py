"""Where reports are that links lead to: results folders and ports, noted in the state folder.

A link is stored with a Dagster run, and followed later: after ``--results`` elsewhere, beside a
``make ui`` on other ports, from another one tomorrow. So whoever makes a link notes the folder of
the runs and the port in it, and ``make ui`` serves every folder and port that was noted.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path
from typing import NamedTuple

from perf_pipeline.config.settings import REPORTS_PORT
from perf_pipeline.lifeline import ProcessStamp, own_stamp
from perf_pipeline.samples.run_file import write_atomically

HOST = "127.0.0.1"
FOLDERS_MAX = 200
"""Results folders that are served, those noted last."""


def report_url(page: Path, served_at: str) -> str:
    """Return where a page is while the server runs.

    Args:
        page: In a folder of a results folder: ``RUN/report.html``, ``comparisons/ID.html``.
        served_at: Address of the server, without a slash at the end.
    """
    return f"{served_at}/{page.parent.name}/{page.name}"


class ReportLink(NamedTuple):
    """Addresses while the server of reports runs.

    Attributes:
        url: Of the page.
        index_url: Of the list of all runs.
    """

    url: str
    index_url: str


class ReportPlaces:
    """The noted folders and ports of one user.

    Each is a file of its own, so that processes that note at the same time lose nothing.
    """

    def __init__(self, state_dir: Path) -> None:
        """Look into a state folder; it may not exist yet."""
        self._folders = state_dir / "reports/folders"
        self._ports = state_dir / "reports/ports"
        self._serving = state_dir / "reports/serving.json"

    def link(self, page: Path, port: int, public_url: str | None = None) -> ReportLink:
        """Return the link to a page, and note what serving it takes.

        Args:
            page: In a folder of a results folder: ``RUN/report.html``, ``comparisons/ID.html``.
            port: Of the settings; where it is the default, that of the server that runs counts.
            public_url: Address of a dashboard that serves this results folder; None for the
                server on this machine's loopback.
        """
        if public_url is not None:
            return ReportLink(report_url(page, public_url), f"{public_url}/")
        if port == REPORTS_PORT:
            port = self.served_port() or port
        # A link without its note still works for the results folder of `make ui` itself.
        with contextlib.suppress(OSError):
            self.note_folder(page.resolve().parents[1])
            self.note_port(port)
        served_at = f"http://{HOST}:{port}"
        return ReportLink(report_url(page, served_at), f"{served_at}/")

    def note_folder(self, results: Path) -> None:
        """Note a results folder.

        Raises:
            OSError: The state folder cannot be written to.
        """
        name = hashlib.sha256(bytes(results)).hexdigest()[:16]
        self._folders.mkdir(parents=True, exist_ok=True)
        write_atomically(self._folders / name, bytes(results))

    def note_port(self, port: int) -> None:
        """Note the port of a link; as ``note_folder``."""
        self._ports.mkdir(parents=True, exist_ok=True)
        (self._ports / str(port)).touch()

    def folders(self) -> list[Path]:
        """Return the noted results folders that are there, the latest first."""
        found = (Path(os.fsdecode(entry.read_bytes())) for entry in self._noted())
        return [folder for folder in found if folder.is_absolute() and folder.is_dir()]

    def ports(self) -> list[int]:
        """Return the noted ports, and the default one."""
        names = [entry.name for entry in _entries(self._ports)]
        return sorted({REPORTS_PORT, *(int(name) for name in names if name.isdecimal())})

    def note_serving(self, port: int) -> None:
        """Note that this process serves reports on a port; as ``note_folder``."""
        self._serving.parent.mkdir(parents=True, exist_ok=True)
        value = {"port": port, "process": own_stamp()}
        write_atomically(self._serving, json.dumps(value).encode())

    def served_port(self) -> int | None:
        """Return the port of the server that runs; None if none does."""
        try:
            noted = json.loads(self._serving.read_bytes())
            gone = ProcessStamp.from_json(noted["process"]).is_gone()
            return None if gone else int(noted["port"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _noted(self) -> list[Path]:
        entries = sorted(_entries(self._folders), key=_changed_ns, reverse=True)
        return [entry for entry in entries if not entry.name.startswith(".")][:FOLDERS_MAX]


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _changed_ns(entry: Path) -> int:
    try:
        return entry.stat().st_mtime_ns
    except OSError:
        return 0
