"""The process of the proxies: one event loop for the data, a thread for the API.

::

    owner ──stdin──> this process <── HTTP ── ProxyClient
          <─stdout──

First line of standard input: seed and file of the random choices, as JSON. One line of standard
output: the URL of the API. It ends when standard input is closed or its parent is gone, and with it
every connection and every failure that it made.

Standard library only: it starts in a few hundredths of a second.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import resource
import sys
import threading
from pathlib import Path

from perf_pipeline.faults.proxy.control import control_server
from perf_pipeline.faults.proxy.decisions import Decisions
from perf_pipeline.faults.proxy.proxies import Proxies

_CHECK_S = 0.5
"""The end of the pipe is seen at once; a process forked off the owner may keep it open."""


async def serve(seed: int, decisions_file: Path | None) -> None:
    """Serve until the owner is gone.

    Args:
        seed: Of every random choice.
        decisions_file: Where the choices are written; None for nowhere.
    """
    loop = asyncio.get_running_loop()
    decisions = Decisions(seed, decisions_file)
    control = control_server(Proxies(decisions), loop)
    threading.Thread(target=control.serve_forever, name="control", daemon=True).start()
    ended = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), ended.set)  # nothing but its end comes
    print(json.dumps({"url": f"http://127.0.0.1:{control.server_port}"}), flush=True)  # noqa: T201
    gc.freeze()
    parent = os.getppid()
    while not ended.is_set() and os.getppid() == parent:
        try:
            await asyncio.wait_for(ended.wait(), _CHECK_S)
        except TimeoutError:
            decisions.flush()
    decisions.flush()


def main() -> None:
    """Read what to do from standard input, and serve."""
    os.chdir("/")
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # two for each connection
    spec = json.loads(sys.stdin.readline())
    file = spec["decisions_file"]
    asyncio.run(serve(spec["seed"], Path(file) if file else None))


if __name__ == "__main__":
    main()
