"""Tries a user's own servers from the target's interpreter, before anything is made on them.

The harness has other drivers than a worker, another HOME and other variables. So a short-lived
process with a worker's connects as the pools of a worker do.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.config.services import SERVICES
from perf_pipeline.errors import ServiceUnavailableError
from perf_pipeline.loadgen.environment.user_code import NO_USER_CODE
from perf_pipeline.targets.target import ServerAccess, ServerAddress

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perf_pipeline.servers.server import Server

TRIAL_S = 60.0
"""Each driver gives up a server after 5 to 15 s."""

_CONNECTION_TIMEOUT_S = 10.0
_LOG_TAIL = 400


def refuse_unreachable(
    servers: Iterable[Server], target: str, python: Path, *, trial_s: float = TRIAL_S
) -> None:
    """Refuse servers of the user's to which no worker of a target can connect.

    Args:
        servers: Servers that answer the harness.
        target: The target, for messages.
        python: Its interpreter.
        trial_s: How long all connections may take.

    Raises:
        ServiceUnavailableError: With a sentence for each server.
    """
    addresses = {
        one.service: ServerAddress(one.url, is_pooler=one.facts.is_pooler) for one in servers
    }
    if not addresses:
        return
    access = ServerAccess(addresses, connections=1, connection_timeout_s=_CONNECTION_TIMEOUT_S)
    refusals = [
        f"{service}: the server of {SERVICES[service].url_variable} answers here, but not a worker "
        f"of {target}: {error}"
        for service, error in _tried(access, python, trial_s).items()
        if error
    ]
    if refusals:
        raise ServiceUnavailableError("\n".join(refusals))


def _tried(access: ServerAccess, python: Path, trial_s: float) -> dict[str, str]:
    """Return the error of each server; empty where there is none."""
    with tempfile.TemporaryDirectory(prefix="perf_pipeline-") as home:  # as a worker has one
        answer = Path(home, "answer.json")
        try:
            tried = subprocess.run(
                NO_USER_CODE.command(python, "perf_pipeline.targets.try_servers", str(answer)),
                env=NO_USER_CODE.environment(home, {}),
                cwd=home,
                input=json.dumps(asdict(access)),
                capture_output=True,
                text=True,
                errors="replace",
                timeout=trial_s,
                check=False,
            )
            found: dict[str, str] = json.loads(answer.read_text(encoding="utf-8"))
        except subprocess.TimeoutExpired:
            return dict.fromkeys(access.addresses, f"no connection within {trial_s:g} s")
        except (OSError, json.JSONDecodeError):
            tail = tried.stderr[-_LOG_TAIL:].strip().rpartition("\n")[2]
            return dict.fromkeys(access.addresses, f"exit code {tried.returncode}: {tail}")
    return found
