"""Ships the logs of a results folder: reads what is new, sends it, notes how far it came.

A line is sent until the store has answered for it, and only then is its file's position moved on.
Its ``_id`` is made of host, run, file and number, and it is *created*: a line that is sent again,
after a kill between the answer and the note, meets itself (409) and counts as stored.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perf_pipeline.logs.ecs import DATASETS
from perf_pipeline.logs.log import FOLDER, LOOSE_FOLDER
from perf_pipeline.logs.stored import LogTail, StoredLine, log_files
from perf_pipeline.monitoring.shipping.store import StoreBusyError

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from perf_pipeline.monitoring.shipping.positions import Positions
    from perf_pipeline.monitoring.shipping.store import Answer, Store
    from perf_pipeline.monitoring.shipping.store_wait import StoreWait

NAMESPACE = "default"
_BATCH_BYTES = 1_000_000
_MAX_WAIT_S = 30.0
_CREATED, _CONFLICT, _TOO_LARGE = 201, 409, 413
_RETRY_ITEM = {429, 503}
_OK = 300


@dataclass
class Shipped:
    """What was shipped.

    Attributes:
        stored: Lines that the store has now and had not before.
        known: Lines that it had already.
        rejected: Lines that it refuses for good.
        damaged: Lines of files that cannot be read.
        missing: Numbers that are missing in the files.
        retries: Requests that had to be repeated.
        reason: Of the latest rejection.
    """

    stored: int = 0
    known: int = 0
    rejected: int = 0
    damaged: int = 0
    missing: int = 0
    retries: int = 0
    reason: str = ""


class Shipper:
    """Ships all logs below a results folder to one store."""

    def __init__(
        self,
        results: Path,
        state: Path,
        store: Store,
        positions: Positions,
        wait: StoreWait,
        *,
        rng: random.Random,
        notify: Callable[[str], None] = lambda _line: None,
    ) -> None:
        """Prepare.

        Args:
            results: The results folder.
            state: Folder of the state of servers that outlive runs.
            store: Where to.
            positions: How far each file was shipped.
            wait: How long the store is waited for.
            rng: Spreads the waits of several shippers.
            notify: Called with a sentence when the store has to be waited for.
        """
        self.total = Shipped()
        self._results = results
        self._state = state
        self._store = store
        self._positions = positions
        self._store_wait = wait
        self._rng = rng
        self._notify = notify
        self._tails: dict[Path, LogTail] = {}

    def round(self) -> int:
        """Ship what is new in all files; returns how many lines were read."""
        return sum(self._ship_file(path) for path in self._files())

    def _files(self) -> Iterator[Path]:
        for folder in (self._results, self._state):
            yield from log_files(folder / LOOSE_FOLDER)
        for folder in sorted(self._results.glob(f"*/{FOLDER}")):
            if not folder.is_symlink():
                yield from log_files(folder)

    def _ship_file(self, path: Path) -> int:
        is_of_results = path.is_relative_to(self._results)
        name = (path.relative_to(self._results) if is_of_results else path).as_posix()
        try:
            offset = self._positions.offset(name, path)
            tail = self._tails.get(path)
            if tail is None or tail.offset != offset:
                tail = self._tails[path] = LogTail(path, offset)
            read = 0
            while True:
                before, gaps = tail.offset, tail.completeness.missing
                damaged = tail.completeness.damaged
                lines = tail.new_lines(_BATCH_BYTES)
                if tail.offset == before:
                    return read
                self._send_all(lines)
                self._positions.accept(name, path, tail.offset)
                self._positions.write()
                read += len(lines)
                self.total.missing += tail.completeness.missing - gaps
                self.total.damaged += tail.completeness.damaged - damaged
        except FileNotFoundError:
            return 0  # the run was removed meanwhile

    def _send_all(self, lines: list[StoredLine]) -> None:
        """Send lines until the store has answered for each of them.

        Raises:
            ServiceUnavailableError: It took none of them for as long as it is waited for.
        """
        attempt = 0
        while lines:
            try:
                answer = self._store.bulk([part for line in lines for part in _item(line)])
            except StoreBusyError as error:
                self._wait(attempt, error)
                attempt += 1
                continue
            if answer.status == _TOO_LARGE and len(lines) > 1:
                half = len(lines) // 2
                self._send_all(lines[:half])
                lines = lines[half:]
                continue
            if answer.status >= _OK:
                raise self._store.refusal("the logs", answer)
            left = self._unanswered(lines, answer)
            if len(left) < len(lines):
                self._store_wait.answered()
            if left:
                self._wait(attempt, StoreBusyError(f"{len(left)} lines have to be sent again"))
            attempt = attempt + 1 if left else 0
            lines = left

    def _unanswered(self, lines: list[StoredLine], answer: Answer) -> list[StoredLine]:
        """Count what was stored, and return the lines that have to be sent again."""
        left = []
        for line, item in zip(lines, answer.body["items"], strict=True):
            result: dict[str, Any] = item["create"]
            status = result["status"]
            if status in _RETRY_ITEM:
                left.append(line)
            elif status == _CREATED:
                self.total.stored += 1
            elif status == _CONFLICT:
                self.total.known += 1
            else:
                self.total.rejected += 1
                self.total.reason = json.dumps(result.get("error"))[:300]
        return left

    def _wait(self, attempt: int, error: StoreBusyError) -> None:
        self.total.retries += 1
        longest = min(_MAX_WAIT_S, 0.5 * 2**attempt)
        wait_s = error.retry_after_s or longest * (0.5 + self._rng.random() / 2)
        if attempt in {0, 5} or attempt % 20 == 0:
            self._notify(f"{error}; sent again in {wait_s:.1f} s")
        self._store_wait.before_retry(error, wait_s)


def document_id(line: StoredLine) -> str:
    """Return the id of a line in every store: host, run, file and number."""
    document = line.document
    run = document.get("labels.run_id", "")
    return f"{document.get('host.name', '')}/{run}/{line.stream}/{line.sequence}"


def data_stream(dataset: object) -> str:
    """Return the data stream of a dataset; what is none of ours goes to that of runs."""
    name = str(dataset).removeprefix("loadtest.")
    return f"logs-loadtest.{name if name in DATASETS else 'run'}-{NAMESPACE}"


def _item(line: StoredLine) -> tuple[bytes, bytes]:
    stream = data_stream(line.document.get("event.dataset"))
    action = {"create": {"_index": stream, "_id": document_id(line)}}
    return json.dumps(action).encode() + b"\n", json.dumps(line.document).encode() + b"\n"
