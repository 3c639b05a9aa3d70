"""What one kind of server offers to those who find, start and ask it."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from perf_pipeline.errors import ServiceUnavailableError

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.samples.manifest import ServerSource
    from perf_pipeline.servers.server import Facts

NOBODY = 65534


@dataclass(frozen=True)
class Installation:
    """Where a server's programs were found.

    Attributes:
        source: ``machine`` or ``bundle``.
        program: The server's own program.
    """

    source: ServerSource
    program: Path


@dataclass(frozen=True)
class Launch:
    """How to start one server; see ``LaunchSpec`` for the fields of the same name."""

    url: str
    files: dict[str, str]
    prepare: list[list[str]]
    serve: list[str]
    stop_signal: int
    lock_file: str | None


@dataclass(frozen=True)
class Disguise:
    """How a server runs as an ordinary user when root starts it, as PostgreSQL demands.

    Attributes:
        prefix: Put before the command.
        run_as: Who must own its folder then; None when the owner stays the same.
    """

    prefix: tuple[str, ...]
    run_as: int | None


class BackEnd(Protocol):
    """One kind of server: a module of this package, listed in ``resolution.BACK_ENDS``."""

    SERVICE: str
    HOW_TO_GET: str

    def installations(self, settings: Settings) -> list[Installation]:
        """Find the programs, the best first: on the machine, then in the Python environment."""

    def launch(self, installation: Installation, folder: Path, port: int) -> Launch:
        """Say how to start one on a loopback port with its data in or below ``folder``."""

    def facts(self, url: str, timeout_s: float) -> Facts:
        """Ask a server what it is, by a real query.

        Raises:
            NotAnsweringError: It did not answer, or not well.
        """

    def data_folder(self, url: str, timeout_s: float) -> str:
        """Ask a server where its data are, to tell ours from a stranger on the same port."""

    def connections(self, url: str, timeout_s: float) -> int:
        """Count the connections of all programs to a server, without the one that asks."""


class NotAnsweringError(ServiceUnavailableError):
    """A server did not answer a query, or not well; the text says what came instead."""


NO_DISGUISE = Disguise((), None)


def disguise() -> Disguise:
    """Find out how to run a command as somebody other than root.

    A user namespace keeps the real owner, so that the programs and the data folder may lie where
    only root can read. Where namespaces are forbidden (Docker's default profile), the user is
    really changed, and the programs must then be readable by everybody.
    """
    if os.geteuid() != 0:
        return NO_DISGUISE
    namespace = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}")
    try:
        tried = subprocess.run([*namespace, "true"], capture_output=True, check=False)
    except FileNotFoundError:
        return changed_user()
    return Disguise(namespace, None) if tried.returncode == 0 else changed_user()


def changed_user() -> Disguise:
    """Return the disguise that really changes the user, without losing the death signal."""
    user = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    return Disguise((*user, "--pdeathsig", "keep"), NOBODY)
