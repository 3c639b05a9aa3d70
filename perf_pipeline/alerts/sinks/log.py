"""A file of lines, each a JSON object: for programs that follow logs."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from perf_pipeline.alerts.sinks.sink import SinkError
from perf_pipeline.redaction.redact import redacted_values

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.alerts.notice import Notice

FILE = "alerts.jsonl"


class LogSink:
    """Appends to a file of the results folder."""

    name = "log"
    takes_acknowledgements = True

    def __init__(self, results: Path) -> None:
        """Append to the file in this folder."""
        self._path = results / FILE

    def send(self, notice: Notice) -> None:
        """Append a line, as a whole also beside other processes."""
        alert = notice.alert
        line = {
            "at": notice.at,
            "event": notice.event,
            "alert_id": alert.alert_id,
            "scenario": alert.scenario,
            "tier": alert.tier,
            "severity": alert.severity,
            "metrics": len(alert.movements),
            "title": notice.title,
            "text": "\n".join(notice.lines),
        }
        content = json.dumps(redacted_values(line)) + "\n"
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            descriptor = os.open(self._path, flags, 0o666)
            try:
                os.write(descriptor, content.encode())
            finally:
                os.close(descriptor)
        except OSError as error:
            raise SinkError(f"log: {self._path}: {error.strerror}") from error
