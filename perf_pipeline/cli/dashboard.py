"""The command that serves the performance dashboard."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from perf_pipeline.cli.lines.terminal import show
from perf_pipeline.cli.output import AsJson, Results, answer, bad_input_explained, settings_with
from perf_pipeline.dashboard.open_site import open_site
from perf_pipeline.dashboard.server import dashboard_server
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.report.report_places import HOST, ReportPlaces

if TYPE_CHECKING:
    from http.server import ThreadingHTTPServer

    from perf_pipeline.config.settings import Settings

DASHBOARD_PORT = 8081
_LOOPBACK = ("127.", "::1", "localhost")
_BEYOND = (
    "Whoever reaches this machine at {host} can read every run and report: the dashboard has no "
    "login. Leave --host out to serve this machine alone."
)

Port = Annotated[
    int, typer.Option("--port", min=0, max=65535, help="Where to listen; 0 for any free port.")
]
Host = Annotated[
    str,
    typer.Option(
        "--host",
        help="Address to listen on. Another than the default is reached by other machines, and the "
        "dashboard has no login.",
    ),
]


def dashboard(
    port: Port = DASHBOARD_PORT,
    host: Host = HOST,
    results: Results = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Serve the performance dashboard until Ctrl-C: runs, verdicts, trends, reports; read-only."""
    with bad_input_explained(as_json=as_json):
        settings = settings_with(results)
        server = _listening(settings, port, host)
    with server:
        at = int(server.server_address[1])
        url = f"http://{f'[{host}]' if ':' in host else host}:{at}/"
        if not host.startswith(_LOOPBACK):
            show(_BEYOND.format(host=host), as_json=as_json)
        else:
            with suppress(OSError):  # links to reports then lead to the port of the settings
                ReportPlaces(settings.state_dir).note_serving(at)
        show(f"dashboard: {url}", as_json=as_json)
        answer({"url": url, "results": str(settings.results_dir)}, as_json=as_json)
        server.serve_forever()


def _listening(settings: Settings, port: int, host: str) -> ThreadingHTTPServer:
    try:
        site = open_site(settings, is_local=host.startswith(_LOOPBACK))
        return dashboard_server(site, port, host)
    except OSError as error:
        raise PerfPipelineError(
            f"The dashboard cannot listen on {host}:{port}: {error.strerror}. End what listens "
            "there, or choose another port: perf-pipeline dashboard --port 8082"
        ) from error
