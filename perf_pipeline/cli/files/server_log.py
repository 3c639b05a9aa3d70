"""Prints the log of one server: a container of the stack, or one that ``start`` left running.

::

    python -m perf_pipeline.cli.files.server_log SERVICE
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from perf_pipeline.cli.lines.terminal import show
from perf_pipeline.config.services import SERVICES
from perf_pipeline.config.settings import current_settings
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.exit_code import Exit
from perf_pipeline.held_folder import read_own
from perf_pipeline.program.program import run_program
from perf_pipeline.servers.lifecycle.launch_spec import LOG_FILE
from perf_pipeline.servers.lifecycle.persistent_servers import read_persistent
from perf_pipeline.servers.stack.service_state import service_states
from perf_pipeline.servers.stack.stack_engine import StackEngine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.config.settings import Settings

_LINES = 200


def main(arguments: Sequence[str]) -> int:
    """Print the end of a log; return the exit code."""
    try:
        settings = current_settings()
        logs = _logs(settings)
        if len(arguments) != 1 or arguments[0] not in logs:
            sys.stderr.write(f"{_which(' '.join(arguments), logs)}\n")
            return Exit.BAD_INPUT
        lines = logs[arguments[0]]
        if isinstance(lines, str):
            lines = StackEngine(settings.stack).log_lines(lines, _LINES)
    except PerfPipelineError as error:
        sys.stderr.write(f"{error}\n")
        return Exit.BAD_INPUT
    for line in lines:
        show(line, as_json=False)
    return Exit.COMPLETE


def _logs(settings: Settings) -> dict[str, str | list[str]]:
    """Return service to the end of its log, or to the container of the stack that has it."""
    found: dict[str, str | list[str]] = {}
    for service in SERVICES:
        server = read_persistent(settings.state_dir, service)
        if server is not None and server.is_alive():
            found[service] = (read_own(server.folder / LOG_FILE) or "").splitlines()[-_LINES:]
    engine = StackEngine(settings.stack)
    if engine.is_there():
        for state in service_states(engine, ()):
            found[state.service] = state.container or []
    return found


def _which(asked: str, logs: dict[str, str | list[str]]) -> str:
    if not logs:
        return "no server of `perf-pipeline start` runs, so there is no log of one"
    return f"SERVICE is {asked!r}; there are logs of {', '.join(sorted(logs))}."


if __name__ == "__main__":
    run_program(main)
