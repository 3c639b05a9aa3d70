"""Leases on data of a run on a user's server, so that the data of a dead run are removed.

A lease names a schema, a table, a prefix of keys or a collection. It is a file, written before
anything is created on the server and removed after it, so that data of a killed run are found.
It has no password.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.config.services import SERVICES
from perf_pipeline.config.wording import shown
from perf_pipeline.errors import ServiceUnavailableError
from perf_pipeline.lifeline import ProcessStamp, own_stamp
from perf_pipeline.samples.run_file import read_file
from perf_pipeline.servers.lifecycle.persistent_servers import write_private
from perf_pipeline.servers.server import redacted_url
from perf_pipeline.servers.service import find_service

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from perf_pipeline.servers.server import Server

_DATA = re.compile(r"(?!pg_|public$|information_schema$|mysql$|sys$)[A-Za-z0-9][A-Za-z0-9_.:/-]*")
"""Names of data: without a wildcard, and none of a server's own schemas."""

_ANSWER_S = 5.0


@dataclass(frozen=True)
class Lease:
    """A schema, table, prefix of keys or collection that a run uses on a server.

    Attributes:
        service: Name of the service.
        redacted_url: The server, without its password.
        name: The schema, table, prefix of keys, or collection.
        owner: The process whose end ends the lease.
        path: The file.
    """

    service: str
    redacted_url: str
    name: str
    owner: ProcessStamp
    path: Path

    def remove_from(self, url: str) -> None:
        """Remove the data from the server, then the lease.

        Raises:
            NotAnsweringError: The server failed; the lease stays.
        """
        service = find_service(self.service)
        service.identify(url, _ANSWER_S)  # a server that is dead is not waited for
        service.storage.drop(url, self.name)
        self.path.unlink(missing_ok=True)


@contextmanager
def leased(state_dir: Path, server: Server, name: str) -> Iterator[str]:
    """Lease a name on a server for the block, and remove the data under it afterwards.

    Args:
        state_dir: Folder of the leases.
        server: Any server; one that the run started needs no lease, as its data end with it.
        name: The schema, table, prefix of keys, or collection: of this run alone.

    Yields:
        ``name``.

    Raises:
        ServiceUnavailableError: The data could not be removed; if the block raised too, its error
            is raised and this becomes a note on it.
    """
    if server.source in {"machine", "bundle"}:
        yield name
        return
    lease = Lease(
        service=server.service,
        redacted_url=redacted_url(server.url),
        name=name,
        owner=own_stamp(),
        path=state_dir / "leases" / _file_name(server.service, name),
    )
    _write(lease)
    try:
        yield name
    except BaseException as error:
        try:
            lease.remove_from(server.url)
        except ServiceUnavailableError as left:
            error.add_note(_left(lease, left))
        raise
    try:
        lease.remove_from(server.url)
    except ServiceUnavailableError as left:
        raise ServiceUnavailableError(_left(lease, left)) from left


def abandoned_leases(state_dir: Path) -> list[Lease]:
    """Return the leases whose process has certainly ended."""
    return [lease for lease in _leases(state_dir)[0] if lease.owner.is_gone()]


def damaged_leases(state_dir: Path) -> list[str]:
    """Return a sentence on each file in the place of a lease that is none of ours."""
    return _leases(state_dir)[1]


def return_leases(leases: Iterable[Lease], urls: Iterable[str]) -> tuple[list[str], list[str]]:
    """Remove the data of abandoned leases from the servers.

    Args:
        leases: Abandoned leases.
        urls: Servers that can be reached now; a lease finds its server by the URL without password.

    Returns:
        Sentences on what was removed, and on what could not be.
    """
    known = {redacted_url(url): url for url in urls}
    removed, problems = [], []
    for lease in leases:
        what = f"{lease.name} on {lease.redacted_url}"
        url = known.get(lease.redacted_url)
        if url is None:
            problems.append(
                f"{what} was left by a dead run, and no setting names that server now: set "
                f"{SERVICES[lease.service].url_variable} to it, or remove {lease.path}."
            )
            continue
        try:
            lease.remove_from(url)
        except ServiceUnavailableError as error:
            problems.append(_left(lease, error))
        else:
            removed.append(f"{what}, left by a dead run")
    return removed, problems


def _left(lease: Lease, error: Exception) -> str:
    return (
        f"{lease.name} could not be removed from {lease.redacted_url} ({error}).\n"
        "The clearing op removes it once the server answers."
    )


def _write(lease: Lease) -> None:
    lease.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    values = {
        "service": lease.service,
        "redacted_url": lease.redacted_url,
        "name": lease.name,
        "owner": list(lease.owner),
    }
    write_private(lease.path, json.dumps(values))


def _leases(state_dir: Path) -> tuple[list[Lease], list[str]]:
    leases, damaged = [], []
    for path in sorted((state_dir / "leases").glob("*.json")):
        try:
            leases.append(_read(path))
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            damaged.append(f"{path} is no lease of ours ({error}): nothing was removed for it.")
    return leases, damaged


def _read(path: Path) -> Lease:
    """Read a lease.

    Raises:
        OSError: It is a link, or cannot be read.
        ValueError: It names what no run of ours makes; likewise TypeError and KeyError.
    """
    if path.lstat().st_uid != os.geteuid():
        raise ValueError("it belongs to another user")
    values = json.loads(read_file(path))
    values["owner"] = ProcessStamp.from_json(values["owner"])
    lease = Lease(path=path, **values)
    if path.name != _file_name(lease.service, lease.name):
        raise ValueError("its file has another name than what it names")
    if lease.service not in SERVICES or not _DATA.fullmatch(lease.name):
        raise ValueError(f"{shown(lease.name)} is not the name of a run's data on a known service")
    return lease


def _file_name(service: str, name: str) -> str:
    return f"{service}-{name.strip(':/').replace('/', '_')}.json"
