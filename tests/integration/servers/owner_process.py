"""A process that owns servers and dies, for the tests of what it leaves.

Usage: owner_process.py WHAT FOLDER [URL...]. Prints one line of JSON once it has what it wants:

* ``hold``: a server of every service for the time of its standard input;
* ``fork``: a Redis, then ends while a fork of its own, with all its files, lives on;
* ``start``: a Redis that stays, then waits;
* ``lease``: a schema on the user's PostgreSQL at the first URL, a table on the MySQL at the
  second, a collection on the MongoDB at the third, then waits.
"""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from perf_pipeline.config.services import SERVICES
from perf_pipeline.config.settings import current_settings
from perf_pipeline.servers.lifecycle.lease import leased
from perf_pipeline.servers.lifecycle.resolve import running_server
from perf_pipeline.servers.lifecycle.services import ServiceSession, start_servers
from perf_pipeline.servers.service import find_service

LEASED = ("postgres", "mysql", "mongodb")


def tell(about: object) -> None:
    """Print one line of JSON."""
    sys.stdout.write(json.dumps(about) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Do what the arguments say."""
    what, folder, *urls = sys.argv[1:]
    settings = replace(
        current_settings(),
        urls=dict(zip(LEASED, urls, strict=False)),
        temp_dir=Path(folder),
        state_dir=Path(folder) / "state",
    )
    if what == "hold":
        with ServiceSession(settings, SERVICES) as session:
            tell({name: [one.url, one.pids[0]] for name, one in session.servers.items()})
            sys.stdin.read()
    elif what == "fork":
        with ServiceSession(settings, ["redis"]):
            heir = os.fork()
            if heir == 0:
                time.sleep(60)
                os._exit(0)
            tell(heir)
            sys.stdin.read()
            os._exit(1)
    elif what == "start":
        tell([one.url for one in start_servers(settings, ["redis"], tell)])
        sys.stdin.read()
    elif what == "lease":
        with ExitStack() as leases:
            for service in LEASED:
                server, _ = running_server(settings, service)
                assert server is not None
                leases.enter_context(leased(settings.state_dir, server, "run_killed"))
                find_service(service).storage.create(server.url, "run_killed", seed=1)
            tell(list(LEASED))
            sys.stdin.read()


if __name__ == "__main__":
    main()
