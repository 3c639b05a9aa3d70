"""Failures act while they last, and nothing of one is left within 5 s whoever is killed.

Each failure is played on real servers that the selftest starts. Undisturbed, its evidence must
cover 95 % of its window (75 % at size ci, whose windows are short); with an inject that does
nothing, none of it: at most the 5 % by which a window may fall short. Then its injector, its
guardian, both, a worker process, the step, the step with the injector, and all three are killed in
the middle of it, and the state of the server, its connections, files and processes are compared
with those before. Where all three died, the time counts from the next start, which takes back what
they left.
"""

from __future__ import annotations

import logging
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.config.fault.fault_kinds import FAULT_KINDS
from perf_pipeline.config.fault.fault_window import FaultWindow
from perf_pipeline.config.services import SERVICES
from perf_pipeline.config.settings import current_settings
from perf_pipeline.config.stack_settings import StackSettings
from perf_pipeline.errors import ServiceUnavailableError
from perf_pipeline.faults.host_floor import available_memory, memory_floor_bytes
from perf_pipeline.faults.marker import faulted_server
from perf_pipeline.faults.proxy.proxy_process import ProxyProcess
from perf_pipeline.samples.fault_log import MIN_EVIDENCE_SHARE
from perf_pipeline.selftest.fault_trials.fault_trial import FaultTrial, NotDoneError, Victim
from perf_pipeline.selftest.fault_trials.played_here import played_here, why_refused
from perf_pipeline.selftest.figure import Figure, Size
from perf_pipeline.servers.lifecycle.port import LOOPBACK
from perf_pipeline.servers.lifecycle.services import ServiceSession
from perf_pipeline.servers.mongodb.service import STAND_IN
from perf_pipeline.servers.service import find_service
from perf_pipeline.servers.through_proxy import upstream_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.config.fault.fault_kinds import FaultKind
    from perf_pipeline.config.fault.fault_window import SettingValue
    from perf_pipeline.config.settings import Settings
    from perf_pipeline.faults.fault import FaultedServer
    from perf_pipeline.samples.fault_log import FaultRecord

WITHIN_S = 5.0
WINDOW_S = {Size.CI: 2.5, Size.FULL: 5.0}
MIN_SHARE = {Size.CI: 0.75, Size.FULL: MIN_EVIDENCE_SHARE}
"""Of a window in which the failure must be seen: its first sign is some 0.1 s late."""
SHAM_S, MAX_SHAM_SHARE = 1.0, 1 - MIN_EVIDENCE_SHARE
"""Of a window without a failure: a single sign of four is a quarter of it."""
KILLED_WINDOW_S = 60.0
GENTLE: dict[str, dict[str, SettingValue]] = {
    "resource_exhaustion": {"cores": 1.0},
}
"""Settings of failures that would disturb more than the selftest."""
TAKEN_BYTES, MARGIN = 1_000_000_000, 1.1
"""What memory pressure takes; it leaves more than the floor of the host by this factor."""
DISK_MB = 256
"""Of the disk that is filled: it holds a new server and is in memory."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Case:
    """A failure in one place."""

    kind: FaultKind
    service: str
    server: FaultedServer | None

    @property
    def name(self) -> str:
        return self.window(1.0).name

    @property
    def victims(self) -> tuple[Victim, ...]:
        """What can be killed: only a failure that outlives its process has a guardian."""
        return tuple(one for one in Victim if self.kind.persists or not one.is_of_the_guardian)

    def window(self, duration_s: float) -> FaultWindow:
        """Return a window of it, gentle where it would disturb more than the selftest."""
        settings = dict(GENTLE.get(self.kind.name, {}))
        if self.kind.name == "memory_pressure":
            available_bytes, total_bytes = available_memory()
            free_bytes = max(
                available_bytes - TAKEN_BYTES, MARGIN * memory_floor_bytes(total_bytes)
            )
            settings["free_mb"] = free_bytes / 1e6
        return FaultWindow(self.kind.name, self.service, 0.0, duration_s, settings)


def run(size: Size, seed: int) -> list[Figure]:
    """Play and kill each failure: on one server each at size ci, on every server at size full."""
    figures: list[Figure] = []
    with ExitStack() as stack:
        temporary = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="perf-pipeline-selftest-")
        )
        folder = Path(temporary)
        settings = _settings_in(folder)
        servers = _faulted_servers(settings, stack, seed)
        cases = list(_cases(servers, seed if size is Size.CI else None))
        turns = {True: count(), False: count()}
        for number, case in enumerate(cases):
            log.info("faults: %s", case.name)
            victims = case.victims
            if size is Size.CI:
                victims = (victims[next(turns[case.kind.persists]) % len(victims)],)
            with _on_its_disk(case, settings) as placed:
                figures += _figures(placed, victims, size, settings, folder / f"{number:02d}")
    return figures


@contextmanager
def _on_its_disk(case: _Case, settings: Settings) -> Iterator[_Case]:
    """Give a failure that fills a disk a server whose data are on one of its own."""
    if case.kind.name != "disk_full":
        yield case
        return
    service = case.service
    with ServiceSession(settings, [service], disks_mb={service: DISK_MB}) as session:
        yield replace(case, server=faulted_server(session.servers[service]))


def _figures(
    case: _Case, victims: tuple[Victim, ...], size: Size, settings: Settings, folder: Path
) -> Iterator[Figure]:
    """Yield the figures of a failure; at size ci one victim of it is killed, another each time."""
    what = f"{case.name}: share of the window with evidence"
    window = case.window(WINDOW_S[size])
    if refusal := why_refused(window, case.server, folder / "refused"):
        yield Figure(what, None, "", None, note=f"refused here: {refusal}")
        return
    record = played_here(window, case.server, folder / "played", is_sham=False)
    yield _evidence(what, record, MIN_SHARE[size], at_most=False)
    record = played_here(case.window(SHAM_S), case.server, folder / "sham", is_sham=True)
    yield _evidence(f"{what}, inject does nothing", record, MAX_SHAM_SHARE, at_most=True)
    for victim in victims:
        yield _killed(case, victim, settings, folder / victim.name.lower())


def _evidence(what: str, record: FaultRecord, limit: float, *, at_most: bool) -> Figure:
    """Return the figure of a window; without a sign nothing was measured."""
    if not record.signs:
        return Figure(what, None, "", limit, at_most, record.reason or "there is no sign")
    note = record.reason or record.signs[-1].text
    return Figure(what, record.evidence_share, "", limit, at_most, note)


def _killed(case: _Case, victim: Victim, settings: Settings, folder: Path) -> Figure:
    what = f"{case.name}: {victim} killed, until nothing is left"
    trial = FaultTrial(case.window(KILLED_WINDOW_S), case.server, settings, folder)
    try:
        found = trial.kill(victim)
    except NotDoneError as error:
        return Figure(what, None, "s", WITHIN_S, note=str(error))
    note = found.left or "; ".join(found.said)
    return Figure(what, found.seconds, "s", WITHIN_S, note=note)


def _settings_in(folder: Path) -> Settings:
    """Return settings that keep everything in a folder and know no server of the user's."""
    return replace(
        current_settings(),
        urls={},
        state_dir=folder / "state",
        temp_dir=folder,
        mongodb_stand_in=STAND_IN,
        stack=StackSettings(),
    )


def _faulted_servers(settings: Settings, stack: ExitStack, seed: int) -> dict[str, FaultedServer]:
    """Start a server of each service that can be had, with a proxy before it."""
    found = {}
    process = stack.enter_context(ProxyProcess(seed))
    for service in SERVICES:
        try:
            session = stack.enter_context(ServiceSession(settings, [service]))
        except ServiceUnavailableError as error:
            log.info("faults: without %s: %s", service, str(error).splitlines()[0])
            continue
        server = session.servers[service]
        host, port = upstream_of(service, server.url)
        process.client.create(service, f"{LOOPBACK}:0", f"{host}:{port}")
        storage = find_service(service).storage
        storage.create(server.url, storage.storage_name("selftest"), seed)  # what is locked
        found[service] = replace(faulted_server(server), proxy_url=process.control_url)
    return found


def _cases(servers: dict[str, FaultedServer], seed: int | None) -> Iterator[_Case]:
    """Yield every failure in every place, or with a seed in one place each."""
    for number, kind in enumerate(FAULT_KINDS.values()):
        if not kind.servers:
            yield _Case(kind, "", None)
            continue
        if kind.by_engine:
            continue  # it needs the running stack: tests/docker
        places = [service for service in kind.servers if service in servers]
        chosen = places if seed is None else places[(seed + number) % len(places) :][:1]
        for service in chosen:
            yield _Case(kind, service, servers[service])
