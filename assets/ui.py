"""``python -m assets.ui``: ``dagster dev`` with the dashboard beside it, both on loopback alone.

Dagster serves no files, and a browser follows no link from its pages to a file; so the dashboard,
with the reports of every results folder that a link leads to, is served by this process as long as
the UI runs, on every port that such a link has.
"""

import argparse
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from http.server import ThreadingHTTPServer

from perf_pipeline.config.settings import PROJECT, Settings, current_settings
from perf_pipeline.dashboard.open_site import open_site
from perf_pipeline.dashboard.server import dashboard_server
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.exit_code import Exit
from perf_pipeline.lifeline import bound_command
from perf_pipeline.program.dagster_home import dagster_environment
from perf_pipeline.program.program import run_program
from perf_pipeline.report.report_places import HOST, ReportPlaces

UI_PORT = 3000


def main(arguments: list[str]) -> int:
    """Serve reports while ``dagster dev`` runs; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m assets.ui", description=__doc__)
    parser.add_argument("--port", type=int, default=UI_PORT, help="port of the UI")
    given = parser.parse_args(arguments)
    try:
        settings = current_settings()
        environ = dagster_environment(os.environ, settings.state_dir)
    except PerfPipelineError as error:
        sys.stderr.write(f"{error}\n")
        return Exit.BAD_INPUT
    with ExitStack() as serving:
        try:
            _serve_reports(settings, given.port, serving)
        except OSError as error:
            sys.stderr.write(
                f"Reports cannot be served on {HOST}:{settings.reports_port}: {error.strerror}.\n"
                "Links to reports in the UI lead there. End what listens there (another `make "
                "ui`?), or choose another port: make ui REPORTS_PORT=4001.\n"
            )
            return Exit.BAD_INPUT
        return _dagster_dev(given.port, environ)


def _serve_reports(settings: Settings, ui_port: int, serving: ExitStack) -> None:
    """Serve reports until the stack is closed: on the port of the settings, and of older links.

    Raises:
        OSError: Something else listens on the port of the settings.
    """
    places, port = ReportPlaces(settings.state_dir), settings.reports_port
    site = open_site(settings, dagster_url=f"http://{HOST}:{ui_port}/")
    _serve(dashboard_server(site, port), serving)
    for older in set(places.ports()) - {port}:
        with suppress(OSError):  # something else listens there
            _serve(dashboard_server(site, older), serving)
    with suppress(OSError):
        places.note_serving(port)
    sys.stderr.write(f"dashboard and reports: http://{HOST}:{port}/\n")


def _serve(server: ThreadingHTTPServer, serving: ExitStack) -> None:
    serving.enter_context(server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    serving.callback(server.shutdown)


def _dagster_dev(port: int, environ: Mapping[str, str]) -> int:
    """Run ``dagster dev`` to its end; SIGINT and SIGTERM are handed on, SIGHUP as SIGTERM.

    It has its own session, or Ctrl-C would reach it twice; and it is bound to this process.
    """
    where = ["--host", HOST, "--port", str(port)]
    command = [sys.executable, "-I", "-m", "dagster", "dev", *where]
    process = subprocess.Popen(
        bound_command(command, signal.SIGTERM, os.getpid()),
        cwd=PROJECT,
        env=environ,
        start_new_session=True,
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda got, _frame: process.send_signal(got))
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as nohup wants it
        signal.signal(signal.SIGHUP, lambda *_: process.send_signal(signal.SIGTERM))
    return process.wait()


if __name__ == "__main__":
    run_program(main)
