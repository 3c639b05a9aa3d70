"""The command logs: the lines of all processes of a run, in the order of time."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any

import typer

from perf_pipeline.cli.completion import offer_runs
from perf_pipeline.cli.lines.terminal import show
from perf_pipeline.cli.output import (
    AsJson,
    Results,
    answer,
    bad_input_explained,
    found_run,
    settings_with,
)
from perf_pipeline.config.duration import parse_duration
from perf_pipeline.errors import ScenarioError
from perf_pipeline.logs.ecs import LEVELS, timestamp
from perf_pipeline.logs.log import FOLDER, LOOSE_FOLDER
from perf_pipeline.logs.stored import LogTail, gap_sentences, in_order, log_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.logs.stored import StoredLine

_POLL_S = 0.5


@dataclass(frozen=True)
class LineFilter:
    """Which lines are shown.

    Attributes:
        level: The least of ``LEVELS``.
        process: Name of a process, or its end: ``worker-0``; empty for all.
        fault: Id or kind of a failure; empty for all.
        since: ``@timestamp`` of the first; empty for all.
        text: Must be part of the message, or of the error; empty for all.
    """

    level: str = "info"
    process: str = ""
    fault: str = ""
    since: str = ""
    text: str = ""

    def passes(self, line: StoredLine) -> bool:
        """Return whether a line is shown."""
        document = line.document
        return (
            _rank(document.get("log.level")) >= _rank(self.level)
            and (not self.process or self._is_of_process(document))
            and (not self.fault or self._is_of_fault(str(document.get("labels.fault_id", ""))))
            and line.at >= self.since
            and (not self.text or self._has_text(document))
        )

    def _is_of_process(self, document: dict[str, Any]) -> bool:
        name = str(document.get("service.node.name", ""))
        is_named = name == self.process or name.endswith(f"-{self.process}")
        return is_named or document.get("labels.worker") == self.process

    def _is_of_fault(self, ids: str) -> bool:
        return any(one == self.fault or one.rpartition("-")[0] == self.fault for one in ids.split())

    def _has_text(self, document: dict[str, Any]) -> bool:
        searched = ("message", "event.action", "error.type", "error.message", "error.stack_trace")
        wanted = self.text.lower()
        return any(wanted in str(document.get(name, "")).lower() for name in searched)


def logs(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN]",
            help="Id or folder of a run; default: the latest; `none`: processes without a run.",
            autocompletion=offer_runs,
        ),
    ] = None,
    level: Annotated[
        str, typer.Option("--level", help="Least level: debug, info, warning or error.")
    ] = "info",
    process: Annotated[
        str, typer.Option("--process", help="One process, such as run, worker-0 or 00-100-faults.")
    ] = "",
    fault: Annotated[
        str, typer.Option("--fault", help="One failure, by id (kind and number) or kind.")
    ] = "",
    since: Annotated[
        str, typer.Option("--since", metavar="TIME", help="Not older: 30s, 10m, or ISO 8601 UTC.")
    ] = "",
    follow: Annotated[  # noqa: FBT002 typer's way of a flag
        bool, typer.Option("--follow", help="Go on with new lines until Ctrl-C.")
    ] = False,
    grep: Annotated[
        str, typer.Option("--grep", metavar="TEXT", help="In message or error; case is ignored.")
    ] = "",
    as_json: AsJson = False,  # noqa: FBT002
    results: Results = None,
) -> None:
    """Show what every process of a run logged, in the order of time, and what is missing of it.

    With --json each line is the stored ECS document, and the last one counts lines and gaps.
    Workflows that succeeded are sampled, at level debug.
    """
    with bad_input_explained(as_json=as_json):
        wanted = _filter_of(level, process, fault, since, grep)
        folders = (
            _without_run(settings_with(results))
            if run == "none"
            else (found_run(run, results).root / FOLDER,)
        )
    tails: dict[Path, LogTail] = {}
    shown = 0
    for line in _lines(folders, tails, follow=follow):
        if wanted.passes(line):
            shown += 1
            print(json.dumps(line.document)) if as_json else show(_line(line), as_json=False)  # noqa: T201
    gaps = gap_sentences(list(tails.values()))
    for sentence in gaps:
        show(sentence, as_json=as_json)
    if not tails:
        show(f"no logs in {' and '.join(map(str, folders))}", as_json=as_json)
    elif not shown and not follow:
        show(_nothing_shown(tails), as_json=as_json)
    counts = [tail.completeness for tail in tails.values()]
    answer(
        {
            "folder": str(folders[0]),
            "folders": [str(folder) for folder in folders],
            "files": len(tails),
            "lines": sum(one.lines for one in counts),
            "shown": shown,
            "missing": sum(one.missing for one in counts),
            "dropped": sum(one.dropped for one in counts),
            "damaged": sum(one.damaged for one in counts),
            "gaps": gaps,
        },
        as_json=as_json,
    )


def _filter_of(level: str, process: str, fault: str, since: str, grep: str) -> LineFilter:
    """Return the filter that the options ask for.

    Raises:
        ScenarioError: With every option that is wrong.
    """
    problems = []
    if level not in LEVELS:
        problems.append(f"--level is {level!r}; it must be one of {', '.join(LEVELS)}.")
    first = ""
    if since:
        try:
            first = _since(since)
        except ScenarioError as error:
            problems += [f"{problem} Or a time: 2026-01-14T09:30:00." for problem in error.problems]
    if problems:
        raise ScenarioError(problems)
    return LineFilter(level, process, fault, first, grep)


def _since(text: str) -> str:
    """Return the first time that ``--since`` lets through; ScenarioError if it is none."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return timestamp(time.time_ns() - int(parse_duration(text, "--since") * 1e9))
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return timestamp(int(at.timestamp() * 1e9))


def _without_run(settings: Settings) -> tuple[Path, ...]:
    """Return where processes without a run log: those of runs that never began, and of servers."""
    return settings.results_dir / LOOSE_FOLDER, settings.state_dir / LOOSE_FOLDER


def _lines(
    folders: Sequence[Path], tails: dict[Path, LogTail], *, follow: bool
) -> Iterator[StoredLine]:
    """Yield the lines of all files of folders; with ``follow`` new ones until Ctrl-C."""
    try:
        while True:
            for path in chain.from_iterable(map(log_files, folders)):
                tails.setdefault(path, LogTail(path))
            yield from in_order(list(tails.values()))
            if not follow:
                return
            time.sleep(_POLL_S)
    except KeyboardInterrupt:
        if not follow:
            raise


def _nothing_shown(tails: Mapping[Path, LogTail]) -> str:
    """Return how many lines the options left out, and the names that --process can have."""
    lines = sum(tail.completeness.lines for tail in tails.values())
    names = ", ".join(sorted(path.stem for path in tails))
    return f"none of {lines:,} lines is what the options ask for; processes: {names}"


def _line(line: StoredLine) -> str:
    document = line.document
    names = [
        f"{name}={document[f'labels.{name}']}"
        for name in ("fault_id", "phase")
        if f"labels.{name}" in document
    ]
    tail = f"  [{' '.join(names)}]" if names else ""
    process = document.get("service.node.name", line.stream)
    return (
        f"{line.at[11:23]} {document.get('log.level', '?'):7} {process:20} "
        f"{document.get('message', '')}{tail}"
    )


def _rank(level: object) -> int:
    return LEVELS.index(level) if level in LEVELS else len(LEVELS)
