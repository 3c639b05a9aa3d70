"""A process that owns servers and dies, for the tests of what it leaves.

Usage: owner_process.py WHAT FOLDER [URL]. Prints one line of JSON once it has what it wants:

* ``hold``: both servers for the time of its standard input;
* ``fork``: a Redis, then ends while a fork of its own, with all its files, lives on;
* ``start``: a Redis that stays, then waits;
* ``lease``: a schema on the user's PostgreSQL at URL, then waits.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

from perf_pipeline.config.settings import current_settings
from perf_pipeline.infrastructure.lease import leased
from perf_pipeline.infrastructure.postgres_data import provision
from perf_pipeline.infrastructure.resolution import running_server
from perf_pipeline.infrastructure.services import SERVICES, ServiceSession, start_servers


def tell(about: object) -> None:
    """Print one line of JSON."""
    sys.stdout.write(json.dumps(about) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Do what the arguments say."""
    what, folder, *urls = sys.argv[1:]
    settings = replace(
        current_settings(),
        urls=dict(zip(["postgres"], urls, strict=False)),
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
        tell([one.url for one in start_servers(settings, ["redis"])])
        sys.stdin.read()
    elif what == "lease":
        server, _ = running_server(settings, "postgres")
        assert server is not None
        with leased(settings.state_dir, server, "run_killed") as schema:
            ddl = [f"CREATE TABLE {schema}.t (n int)"]
            tell(provision(server.url, schema, ddl=ddl, table="t", columns=["n"], rows=[[1]]))
            sys.stdin.read()


if __name__ == "__main__":
    main()
