"""Takes back what killed runs left in effect, at the start of the next one."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.config.services import SERVICES
from perf_pipeline.faults.fault_journal import read_fault, read_journal, remove_fault
from perf_pipeline.faults.taking_back import take_back
from perf_pipeline.lifeline import own_stamp
from perf_pipeline.servers.lifecycle.persistent_servers import read_persistent
from perf_pipeline.servers.lifecycle.resolve import users_url
from perf_pipeline.servers.server import redacted_url
from perf_pipeline.servers.stack.running_stack import running_stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.faults.fault_journal import OpenFault
    from perf_pipeline.lifeline import ProcessStamp

WATCHED_S = 30.0
"""How long an injector or a guardian that outlived its run may take to take a failure back."""
_POLL_S = 0.05


def sweep(settings: Settings) -> list[str]:
    """Take back what killed runs of this user left in effect.

    So is what an earlier run of this process could not take back.

    Returns:
        A sentence on each failure that was in effect when its run was killed: who took it back,
        or why it could not be.
    """
    left = {
        path: fault
        for path, fault in read_journal(settings.state_dir).items()
        if fault.owner.is_gone() or (fault.owner == own_stamp() and not fault.is_watched)
    }
    return _take_back_all(left, known_urls(settings) if left else ())


def sweep_own(state_dir: Path, injector: ProcessStamp, urls: Iterable[str]) -> list[str]:
    """Take back what one injector and its guardian left in effect: the run itself lives on.

    A failure that either of them may still take back is left to them.

    Args:
        state_dir: The journal's place.
        injector: That process.
        urls: Of the servers that it faulted.

    Returns:
        As ``sweep``.
    """
    own = {
        path: fault
        for path, fault in read_journal(state_dir).items()
        if fault.injector == injector and not fault.is_watched
    }
    return _take_back_all(own, urls)


def still_open(injector: ProcessStamp, state_dir: Path) -> list[str]:
    """Return a sentence on each failure of an injector that the journal still has."""
    return [
        _still_open(path, fault)
        for path, fault in read_journal(state_dir).items()
        if fault.injector == injector
    ]


def known_urls(settings: Settings) -> list[str]:
    """Return the complete URLs of the servers that should run now, without asking them."""
    urls = [str(users_url(settings, service)) for service in settings.urls]
    started = [read_persistent(settings.state_dir, service) for service in SERVICES]
    stack = running_stack(settings.stack)
    return [*urls, *(one.url for one in started if one is not None), *stack.urls.values()]


def _take_back_all(faults: Mapping[Path, OpenFault], urls: Iterable[str]) -> list[str]:
    known = {redacted_url(url): url for url in urls}
    sentences = [_swept(path, fault, known) for path, fault in faults.items()]
    return [sentence for sentence in sentences if sentence]


def _swept(
    path: Path,
    fault: OpenFault,
    known: Mapping[str, str],
    clock_s: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """Take back one failure; returns the sentence about it, empty if its own injector did."""
    what = _what(fault)
    deadline_s = clock_s() + WATCHED_S
    now: OpenFault | None = fault
    while now is not None and not now.undone and now.is_watched:
        if clock_s() > deadline_s:
            return _still_open(path, now)
        sleep(_POLL_S)
        now = read_fault(path)
    if now is None:
        return ""
    if now.undone:
        remove_fault(path)
        return f"{what}: {now.undone}"
    entry = {name: known.get(str(value), value) for name, value in now.entry.items()}
    try:
        ended = take_back(replace(now, entry=entry))
    except Exception as error:  # noqa: BLE001 - the run that begins must say so, and go on
        return f"{what}, could not be taken back: {error}.\nIt is tried again; see {path}"
    remove_fault(path)
    return f"{what}: {ended}"


def _still_open(path: Path, fault: OpenFault) -> str:
    taker = fault.injector
    if fault.guardian is not None and taker.is_gone():
        taker = fault.guardian
    return f"{_what(fault)}: process {taker.pid} still takes it back; see {path}"


def _what(fault: OpenFault) -> str:
    return f"{fault.name}, in effect when {fault.level} was cut short"
