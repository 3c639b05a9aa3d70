"""Removes leftovers of dead processes: folders of servers, and data on users' servers."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.errors import ServiceUnavailableError
from perf_pipeline.held_folder import may_be_cleared
from perf_pipeline.servers.lifecycle.folder import empty_of_processes, remove_folder
from perf_pipeline.servers.lifecycle.launch_spec import FOLDER_PREFIX, GUARDIAN, GUARDIAN_FILE
from perf_pipeline.servers.lifecycle.lease import abandoned_leases, damaged_leases, return_leases
from perf_pipeline.servers.lifecycle.persistent_servers import (
    forget_persistent,
    only_one,
    read_persistent,
)
from perf_pipeline.servers.lifecycle.resolve import users_url
from perf_pipeline.servers.lifecycle.unprivileged import NOBODY
from perf_pipeline.servers.stack.running_stack import running_stack

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from perf_pipeline.config.settings import Settings


@dataclass(frozen=True)
class Cleared:
    """What ``clear_leftovers`` did.

    Attributes:
        removed: One line for each thing that was removed.
        problems: One sentence for each that could not be removed, with what to do.
    """

    removed: tuple[str, ...]
    problems: tuple[str, ...]


def clear_leftovers(settings: Settings, services: Iterable[str]) -> Cleared:
    """Remove leftovers of dead processes, and nothing of living ones.

    A process counts as the recorded one only if its id, its start time and the boot agree; one of
    another boot or PID namespace cannot be seen from here, and nothing of it is removed.
    Processes are ended only if they live in a folder of ours whose guardian is dead.

    Args:
        settings: Where to look.
        services: Services whose persistent servers are examined.
    """
    removed: list[str] = []
    problems: list[str] = []
    with only_one(settings.state_dir):
        urls = [*running_stack(settings.stack).urls.values()]
        for service in settings.urls:
            try:
                urls.append(str(users_url(settings, service)))
            except ServiceUnavailableError as error:
                problems.append(str(error))
        for service in services:
            started = read_persistent(settings.state_dir, service)
            if started is None:
                continue
            if started.is_alive():
                urls.append(started.url)
            elif started.guardian.is_gone():
                forget_persistent(settings.state_dir, service)
                removed.append(f"the record of a {service} server that no longer runs")
        for folder in sorted(settings.temp_dir.resolve().glob(f"{FOLDER_PREFIX}*")):
            _clear_folder(folder, removed, problems)
        problems += damaged_leases(settings.state_dir)
        returned = return_leases(abandoned_leases(settings.state_dir), urls)
    removed += returned[0]
    problems += returned[1]
    return Cleared(tuple(removed), tuple(problems))


def _clear_folder(folder: Path, removed: list[str], problems: list[str]) -> None:
    run_as = NOBODY if os.geteuid() == 0 else None
    if not may_be_cleared(folder, GUARDIAN_FILE, GUARDIAN, run_as=run_as):
        return
    remaining = empty_of_processes(folder, grace_s=0.0)
    if remaining:
        problems.append(f"{folder}: processes {remaining} live there and cannot be ended.")
        return
    try:
        remove_folder(folder)
    except OSError as error:
        problems.append(f"{folder} could not be removed: {error}. Remove it by hand.")
    else:
        removed.append(f"{folder}, a server's folder whose guardian had been killed")
