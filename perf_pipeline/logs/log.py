"""The log of one process: numbers its lines, counts those that were dropped.

Every line has ``event.sequence``, which counts up by one within a file, dropped lines included: a
reader finds every gap. A note says how many were dropped as soon as a line can be written again.

Run in the target's process: standard library only.
"""

from __future__ import annotations

import os
from _thread import allocate_lock
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import time_ns
from typing import TYPE_CHECKING, Any

from perf_pipeline.logs import ecs
from perf_pipeline.logs.log_file import SEQUENCE, LogFile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FOLDER = "logs"
"""Of a run's folder."""

LOOSE_FOLDER = ".logs"
"""Of the results folder: of processes that belong to no run."""

SUFFIX = ".jsonl"
DROPPED = "log-lines-dropped"
"""Action of the line that says how many were dropped (``loadtest.dropped_lines``)."""

_HELD_LINES = 1000


@dataclass(frozen=True)
class LogContext:
    """What the lines of all processes of a run have in common; part of their job files.

    Attributes:
        folder: Where their files are; empty for nowhere.
        version: Of perf_pipeline.
        trace_id: Of the run; empty without a run.
        labels: ``run_id``, ``scenario`` and the like.
    """

    folder: str = ""
    version: str = ""
    trace_id: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    def with_labels(self, **names: str) -> LogContext:
        """Return a context with further labels."""
        return replace(self, labels={**self.labels, **names})


NO_LOG = LogContext()


class Log:
    """Writes the lines of one process; for several threads.

    Without a file lines are held, up to a bound, until ``open`` names one: what a run does before
    it has a folder is in its log as well.
    """

    def __init__(
        self, process: str, context: LogContext = NO_LOG, clock_ns: Callable[[], int] = time_ns
    ) -> None:
        """Begin without a file.

        Args:
            process: Its name within the run, such as ``run`` or ``00-100-worker-0``.
            context: Of its run; a folder in it is used by ``open`` alone.
            clock_ns: The wall clock.
        """
        self._process = process
        self._context = context
        self._clock_ns = clock_ns
        self._lock = allocate_lock()
        self._file: LogFile | None = None
        self._held: list[tuple[ecs.Level, dict[str, Any]]] | None = []
        self._dropped = 0
        self._sequence = 0

    @property
    def context(self) -> LogContext:
        """What its lines have in common with those of other processes."""
        return self._context

    def open(self, context: LogContext | None = None, process: str = "") -> Log:
        """Write to the file of this process from now on, held lines first; returns itself.

        A file that another process is writing, or that cannot be made, costs the run nothing: the
        process then writes one with its id in the name, or says on standard error that it has none.

        Args:
            context: Replaces the one it was made with; None to keep that.
            process: Likewise, its name.
        """
        self._context = context or self._context
        self._process = process or self._process
        if self._context.folder:
            self._file = self._opened(Path(self._context.folder))
        with self._lock:
            held, self._held = self._held or (), None
            for level, document in held:
                self._append(level, document)
        return self

    def write(
        self,
        level: ecs.Level,
        action: str,
        message: str,
        *,
        dataset: ecs.Dataset = "run",
        outcome: ecs.Outcome | None = None,
        duration_ns: int | None = None,
        at_ns: int | None = None,
        span_id: str = "",
        error: BaseException | None = None,
        labels: Mapping[str, str] | None = None,
        fields: Mapping[str, Any] | None = None,
        **values: ecs.Value,
    ) -> None:
        """Write one line.

        Args:
            level: How much it matters.
            action: What happened, from a small set of names.
            message: The same for people.
            dataset: What it is about; a data stream of its own in a store.
            outcome: How it ended; None where nothing ended.
            duration_ns: How long it took.
            at_ns: When it happened, ns since the epoch; None for now.
            span_id: Of the part of the trace.
            error: What was raised.
            labels: Names beside those of the context.
            fields: Further ECS fields, with their dots.
            values: Of ``loadtest.*``.
        """
        document: dict[str, Any] = {
            "@timestamp": ecs.timestamp(self._clock_ns() if at_ns is None else at_ns),
            "log.level": level,
            "message": message,
            "event.dataset": f"loadtest.{dataset}",
            "event.action": action,
            **({} if outcome is None else {"event.outcome": outcome}),
            **({} if duration_ns is None else {"event.duration": duration_ns}),
            **({"span.id": span_id} if span_id else {}),
            **({} if error is None else ecs.error_fields(error)),
            **(fields or {}),
            **ecs.labels(labels or {}),
            **ecs.numbers(values),
        }
        with self._lock:
            if self._held is not None:
                self._hold(level, document)
            else:
                self._append(level, document)

    def close(self) -> None:
        """Say what was dropped and close the file; a second call does nothing."""
        with self._lock:
            self._held = None
            if self._file is not None:
                self._note_dropped()
                self._file.close()
                self._file = None

    def _opened(self, folder: Path) -> LogFile | None:
        why: OSError | None = None
        for name in (self._process, f"{self._process}-{os.getpid()}"):
            try:
                file = LogFile(folder / f"{name}{SUFFIX}")
            except OSError as error:
                why = error
                continue
            self._process, self._sequence = name, file.next_sequence
            return file
        with suppress(OSError):  # standard error may be closed
            os.write(2, f"{self._process} has no log file in {folder}: {why}\n".encode())
        return None

    def _hold(self, level: ecs.Level, document: dict[str, Any]) -> None:
        assert self._held is not None
        if len(self._held) < _HELD_LINES:
            self._held.append((level, document))
        else:
            self._dropped += 1

    def _append(self, level: ecs.Level, document: dict[str, Any]) -> None:
        if self._file is None:
            return
        matters = level in ("warning", "error")
        if self._dropped and self._file.has_room(may_use_reserve=matters):
            self._note_dropped()
        if not self._file.append(self._line(document), may_use_reserve=matters):
            self._dropped += 1

    def _note_dropped(self) -> None:
        if self._dropped and self._file is not None:
            note = {
                "@timestamp": ecs.timestamp(self._clock_ns()),
                "log.level": "warning",
                "message": f"{self._dropped} lines of this log were dropped before this one",
                "event.dataset": "loadtest.run",
                "event.action": DROPPED,
                "loadtest.dropped_lines": self._dropped,
            }
            # Its place is in the reserve, so that there is room for it.
            if self._file.append(self._line(note), may_use_reserve=True):
                self._dropped = 0

    def _line(self, document: dict[str, Any]) -> bytes:
        """Return a line with what all lines of the process have; its number is used up."""
        context = self._context
        sequence, self._sequence = self._sequence, self._sequence + 1
        return ecs.line(
            {
                "@timestamp": document["@timestamp"],
                "log.level": document["log.level"],
                "message": document["message"],
                "ecs.version": ecs.ECS_VERSION,
                "service.name": ecs.SERVICE,
                **({"service.version": context.version} if context.version else {}),
                "service.node.name": self._process,
                SEQUENCE: sequence,
                **({"trace.id": context.trace_id} if context.trace_id else {}),
                "process.pid": os.getpid(),
                "host.name": os.uname().nodename,
                **ecs.labels(context.labels),
                **document,
            }
        )


PROCESS_LOG = Log("process")
"""Of this process, for code that is nowhere handed one: worker, injector, guardian, exporter."""
