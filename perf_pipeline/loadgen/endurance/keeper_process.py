"""The keeper's process: ``python -m perf_pipeline.loadgen.endurance.keeper_process < ORDER``.

It has a session of its own and is bound to nobody: it outlives the process that started it, and
ends with its lease. Until its target is ready it says on standard output, a JSON object a line,
what people should see (``notify``), and at last ``ready`` or ``error``; then it is silent, and
its log is ``keeper.log`` in the campaign's folder.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.lifeline import own_stamp
from perf_pipeline.loadgen.checked_run import read_checked_run
from perf_pipeline.loadgen.endurance.hour_plan import endurance_of
from perf_pipeline.loadgen.endurance.keeper import Keeper
from perf_pipeline.loadgen.endurance.keeper_order import order_of
from perf_pipeline.loadgen.endurance.soak import Soak
from perf_pipeline.loadgen.endurance.time_scale import lease_s
from perf_pipeline.program.ending import end_in_order_on_signals
from perf_pipeline.samples.campaign.campaign_folder import CampaignFolder
from perf_pipeline.samples.run_folder import write_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perf_pipeline.loadgen.endurance.keeper_order import KeeperOrder

SOCKET = "keeper.sock"


def _say(**values: object) -> None:
    print(json.dumps(values), flush=True)  # noqa: T201 - to the process that waits


@contextmanager
def listening(folder: Path) -> Iterator[socket.socket]:
    """Listen on the socket in a folder, however long its path; it is removed after the block."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        (folder / SOCKET).unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(f"/proc/self/fd/{descriptor}/{SOCKET}")
            (folder / SOCKET).chmod(0o600)
            listener.listen()
            yield listener
        (folder / SOCKET).unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def keep(order: KeeperOrder) -> str:
    """Start the target of an order, and keep it until it is over; returns why it ended."""
    campaign = CampaignFolder(order.campaign)
    checked = read_checked_run(campaign.scenario_file)
    soak = Soak(
        checked.scenario,
        order.settings,
        campaign,
        order.boot_id,
        notify=lambda text: _say(notify=text),
        environments=checked.environments,
        wait_s=order.wait_s,
    )
    endurance = endurance_of(checked.scenario)
    with soak, listening(campaign.root) as listener:
        boot = campaign.boots / order.boot_id
        _say(ready=order.boot_id)
        os.dup2(2, 1)
        keeper = Keeper(soak, campaign, listener, lease_s(endurance))
        because = keeper.serve()
    write_json(boot / "end.json", {"because": because, "process": list(own_stamp())})
    return because


def _detach() -> None:
    """Go on in a process that is nobody's child, in a session of its own."""
    if os.fork():
        os._exit(0)
    os.setsid()


def main() -> int:
    """Run a keeper to its end."""
    _detach()
    end_in_order_on_signals()
    try:
        keep(order_of(sys.stdin.buffer.read()))
    except PerfPipelineError as error:
        _say(error=type(error).__name__, text=str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
