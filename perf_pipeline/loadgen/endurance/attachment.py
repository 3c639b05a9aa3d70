"""An hour's connection to the target of its campaign, which it starts where there is none."""

from __future__ import annotations

import json
import os
import secrets
import select
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perf_pipeline import errors
from perf_pipeline.config.settings import PROJECT
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.loadgen.endurance.keeper_order import KeeperOrder
from perf_pipeline.loadgen.endurance.keeper_process import SOCKET
from perf_pipeline.samples.manifest import ContainerRecord
from perf_pipeline.servers.server import Facts, Server

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.samples.campaign.campaign_folder import CampaignFolder

_ANSWER_S = 30.0
_COMMAND = (sys.executable, "-I", "-m", "perf_pipeline.loadgen.endurance.keeper_process")


class TargetLostError(PerfPipelineError):
    """The target of a campaign ended; the next hour starts another one, with a new boot id."""


@dataclass
class Attachment:
    """A connection to a living target.

    Attributes:
        boot_id: Of the target's life.
        keeper_pid: The process that keeps it.
        pids: Its worker processes.
        twin_pids: Those that leak on purpose.
        left_out: Unavailable servers that workflows do without.
        servers: The servers of the campaign.
        is_new: The target was started for this attachment.
    """

    boot_id: str
    keeper_pid: int
    pids: tuple[int, ...]
    twin_pids: tuple[int, ...]
    left_out: tuple[str, ...]
    servers: tuple[Server, ...]
    is_new: bool
    _connection: socket.socket = field(repr=False)
    _pending: bytes = field(default=b"", repr=False)

    def announce(self, hour: int) -> None:
        """Have the workers play an hour, whose folder is ready.

        Raises:
            TargetLostError: The target has ended.
        """
        self._send({"ask": "announce", "hour": hour})

    def renew(self) -> None:
        """Renew the lease.

        Raises:
            TargetLostError: The target has ended; the text says why.
        """
        if select.select([self._connection], [], [], 0)[0]:
            raise TargetLostError(self._last_words())
        self._send({"ask": "renew"})

    def end(self) -> None:
        """End the target, and return when it and its keeper have ended."""
        self._connection.settimeout(_ANSWER_S)
        with suppress(OSError):  # it has ended already, or takes too long
            self._connection.sendall(b'{"ask": "end"}\n')
            while self._connection.recv(4096):
                pass

    def close(self) -> None:
        """End the connection; the target lives on."""
        self._connection.close()

    def _send(self, request: dict[str, Any]) -> None:
        try:
            self._connection.sendall(json.dumps(request).encode() + b"\n")
        except OSError as error:
            raise TargetLostError(self._last_words()) from error

    def _last_words(self) -> str:
        try:
            last = json.loads(self._connection.recv(65536).split(b"\n")[0])
        except (OSError, ValueError):
            return "the keeper of the target was killed"
        return str(last["ended"])


def attach(
    campaign: CampaignFolder,
    settings: Settings,
    *,
    notify: Callable[[str], None],
    wait_s: float,
) -> Attachment:
    """Connect to the target of a campaign; start one if none lives.

    Args:
        campaign: Its folder, with the scenario.
        settings: Where things are.
        notify: Called with each line that people should see.
        wait_s: How long to wait for another load run on this host to end.

    Raises:
        PerfPipelineError: The target, or a server that it needs, is unavailable.
    """
    found = connect(campaign)
    if found is not None:
        return found
    _start_keeper(campaign, settings, notify, wait_s)
    started = connect(campaign, is_new=True)
    if started is None:
        raise PerfPipelineError(
            f"the target of {campaign.root} ended as soon as it had started; "
            f"{campaign.boots} has its logs"
        )
    return started


def connect(campaign: CampaignFolder, *, is_new: bool = False) -> Attachment | None:
    """Connect to a living target; None where there is none."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(_ANSWER_S)
    descriptor = os.open(campaign.root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        connection.connect(f"/proc/self/fd/{descriptor}/{SOCKET}")
        connection.sendall(b'{"ask": "attach"}\n')
        with connection.makefile("rb") as answers:
            facts = json.loads(answers.readline() or "null")
    except (OSError, ValueError):
        facts = None
    finally:
        os.close(descriptor)
    if facts is None or "boot_id" not in facts:
        connection.close()
        return None
    connection.settimeout(None)
    return Attachment(
        boot_id=facts["boot_id"],
        keeper_pid=facts["keeper_pid"],
        pids=tuple(facts["pids"]),
        twin_pids=tuple(facts["twin_pids"]),
        left_out=tuple(facts["left_out"]),
        servers=tuple(map(_server_of, facts["servers"])),
        is_new=is_new,
        _connection=connection,
    )


def _server_of(values: dict[str, Any]) -> Server:
    folder = None if values["folder"] is None else Path(values["folder"])
    inside = values.get("container")
    return Server(
        **{
            **values,
            "facts": Facts(**values["facts"]),
            "pids": tuple(values["pids"]),
            "folder": folder,
            "container": None if inside is None else ContainerRecord(**inside),
        }
    )


def _start_keeper(
    campaign: CampaignFolder, settings: Settings, notify: Callable[[str], None], wait_s: float
) -> None:
    """Start a keeper, and return when its target is ready.

    Raises:
        PerfPipelineError: It could not be started; of the kind that the keeper met.
    """
    boot_id = f"{datetime.now(UTC):%Y%m%d_%H%M%S}-{secrets.token_hex(2)}"
    order = KeeperOrder(campaign.root, boot_id, wait_s, settings)
    with (
        (campaign.root / "keeper.log").open("ab") as log,
        subprocess.Popen(
            _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, cwd=PROJECT
        ) as keeper,
    ):
        keeper_in, keeper_out = keeper.stdin, keeper.stdout
        assert keeper_in is not None
        assert keeper_out is not None
        keeper_in.write(order.to_json())
        keeper_in.close()
        for line in keeper_out:
            said = json.loads(line)
            if "notify" in said:
                notify(said["notify"])
            elif "error" in said:
                raise _raised(said["error"], said["text"])
            else:
                return
    raise PerfPipelineError(
        f"the keeper of {campaign.root} ended before its target was ready: see {log.name}"
    )


def _raised(kind: str, text: str) -> PerfPipelineError:
    if kind == errors.ScenarioError.__name__:
        return errors.ScenarioError(text.splitlines())
    found = getattr(errors, kind, PerfPipelineError)
    return found(text) if issubclass(found, PerfPipelineError) else PerfPipelineError(text)
