"""What every failure can do: one file a failure, behind this protocol.

The player (``faults.player``) takes each window through the same steps: ``preflight``, an entry in
the fault journal if the failure outlives its process, ``inject``, ``sign`` until it is in effect,
``sign`` every ``EVIDENCE_EVERY_S`` while it lasts, ``undo``, then both until it is gone.
Rollback classes: reference/faults.md, section 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from perf_pipeline.config.fault.fault_window import SettingValue
    from perf_pipeline.samples.manifest import ContainerRecord

EVIDENCE_EVERY_S = 0.25
"""Time between two signs of a failure: 4 Hz."""

State = dict[str, str]
"""Names and values, as the server or the host tells them, that are the same before and after."""


class FaultRefusedError(Exception):
    """It cannot, or must not, be done here; the text says why and what would be needed."""


class NotPossibleHereError(FaultRefusedError):
    """No run on this machine can have it, whatever its scenario says; the text says why.

    Such a failure makes no run invalid: there is nothing that its user could do about it. It is
    counted and shown as ``not_possible``, and the verdict is about the other failures.
    """


@dataclass(frozen=True)
class FaultedServer:
    """A server that may be faulted: one that this project started, or that carries its marker.

    Attributes:
        service: A row of ``config.services``.
        url: How an administrator reaches it past any proxy; with the password.
        pids: Its main processes, if we started it; else empty.
        data_folder: Where its data are on this machine; None if they are not.
        proxy_url: Control address of the proxy that lies before it; None for none.
        container: What it runs in, if it is one of the stack's; None otherwise.
    """

    service: str
    url: str
    pids: tuple[int, ...] = ()
    data_folder: Path | None = None
    proxy_url: str | None = None
    container: ContainerRecord | None = None


@dataclass(frozen=True)
class Place:
    """Where a failure happens, and what the outside world is.

    Attributes:
        server: The server; None for a failure of the machine.
        folder: An empty folder of this failure's own.
        rng: Source of its random choices; seeded by the scenario's seed and the window's number.
        clock_ns: Monotonic, ns.
        sleep: Waits, s.
        ready_within_s: How long ``preflight`` may wait until what it began is done: 0 where it is
            only to see whether the failure can be done.
        has_ended: Returns whether every failure is to end, so that it must wait no longer.
    """

    server: FaultedServer | None
    folder: Path
    rng: random.Random
    clock_ns: Callable[[], int]
    sleep: Callable[[float], None]
    ready_within_s: float = 8.0
    has_ended: Callable[[], bool] = lambda: False


@dataclass(frozen=True)
class Sign:
    """What an observation that does not rest on the injector's word says about a failure.

    Attributes:
        in_effect: The failure acts at this moment.
        value: What was observed (locks waited for, refused connections a second, ms, ...).
        text: The same for people, with its unit.
    """

    in_effect: bool
    value: float
    text: str


class Fault(Protocol):
    """One failure in one place. Every call returns within a few seconds, or raises.

    Any error that is not a ``FaultRefusedError`` is recorded with the window and ends it: what was
    injected is undone.
    """

    def preflight(self) -> None:
        """See whether it can be done here, and open what must be open before it acts.

        Raises:
            FaultRefusedError: It cannot.
            NotPossibleHereError: It never can, on this machine.
        """

    def state(self) -> State:
        """Return what ``undo`` must bring back; equal before and after."""

    def undo_entry(self) -> Mapping[str, SettingValue]:
        """Return what ``undo_left_behind`` needs; empty if it dies with its process."""

    def inject(self) -> None:
        """Do it."""

    def sign(self) -> Sign:
        """Look whether it is in effect, by other means than the injector's memory."""

    def undo(self) -> None:
        """Take it back; a second call is fine, and so is one without ``inject``."""
