"""What the guardian of a server logs: into its run's log, or into that of processes without a run.

Standard library only: the guardian imports this.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.logs.log import Log, LogContext
from perf_pipeline.redaction.redact import remember_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.logs.ecs import Level
    from perf_pipeline.servers.lifecycle.launch_spec import LaunchSpec

_LEVELS: dict[str, Level] = {"failed": "error", "ended": "warning"}
_MESSAGES = {
    "serving": "the {service} server was started as process {pid}",
    "ended": "the {service} server ended with {code}; it wrote: {log}",
    "failed": "{command} failed with {code}; it wrote: {log}",
    "detached": "the {service} server stays until `perf-pipeline stop`",
}
"""What a guardian reports, for people."""


class GuardianLog:
    """The log of one guardian; its lines are held until it is known where they belong."""

    def __init__(self, spec: LaunchSpec) -> None:
        """Begin.

        Args:
            spec: What the guardian runs.
        """
        remember_secrets(spec.secrets)
        self._service = spec.service
        self._folder = spec.log_folder
        self._log = Log(f"guardian-{spec.service}")
        self._is_open = False
        self._write("info", "began", f"the guardian of {spec.folder} begins")

    def open_in_run(self, context: str) -> None:
        """Write into the log of a run from now on.

        Args:
            context: Of its log, as JSON.
        """
        self._open(LogContext(**json.loads(context)))

    def open_without_run(self) -> None:
        """Write into the log of processes without a run, if it wants none of a run."""
        with suppress(OSError):  # then it has no log; its server needs none
            Path(self._folder).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._open(LogContext(folder=self._folder))

    def write(self, event: str, details: Mapping[str, str | int]) -> None:
        """Log what the guardian reports to its owner."""
        message = _MESSAGES[event].format(service=self._service, **details)
        self._write(_LEVELS.get(event, "info"), event, message)

    def close(self) -> None:
        """Say that server and folder are gone; that is the last line."""
        self._write("info", "stopped", "the server was stopped and its folder removed")
        if not self._is_open:
            self.open_without_run()
        self._log.close()

    def _open(self, context: LogContext) -> None:
        if not self._is_open:
            self._is_open = True
            self._log.open(context)

    def _write(self, level: Level, event: str, message: str) -> None:
        labels = {"backend": self._service}
        self._log.write(level, f"guardian-{event}", message, labels=labels)
