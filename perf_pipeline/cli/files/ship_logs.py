"""The command ship-logs: sends stored logs to Elasticsearch or OpenSearch."""

from __future__ import annotations

import random
import time
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from perf_pipeline.cli.lines.terminal import show
from perf_pipeline.cli.output import AsJson, Results, answer, bad_input_explained, settings_with
from perf_pipeline.config.log_settings import LOGS_URL
from perf_pipeline.config.settings import PROJECT
from perf_pipeline.errors import ScenarioError, ServiceUnavailableError
from perf_pipeline.exit_code import Exit
from perf_pipeline.logs.log import LOOSE_FOLDER, PROCESS_LOG, LogContext
from perf_pipeline.monitoring.shipping.positions import Positions, only_shipper, positions_path
from perf_pipeline.monitoring.shipping.setup import set_up_kibana, set_up_store
from perf_pipeline.monitoring.shipping.shipper import Shipper
from perf_pipeline.monitoring.shipping.store import Store, StoreBusyError
from perf_pipeline.monitoring.shipping.store_wait import StoreWait

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.logs.ecs import Level

Answered = TypeVar("Answered")

_ROUND_S = 2.0
_HEALTH_S = 60.0
_ONCE_S = 60.0
_SETUP_S = 300.0
"""A store that is started together with the shipper takes minutes."""
_INFRA = PROJECT / "infra"


def ship_logs(
    once: Annotated[  # noqa: FBT002 typer's way of a flag
        bool, typer.Option("--once", help="End when everything that is stored now was sent.")
    ] = False,
    setup: Annotated[  # noqa: FBT002
        bool,
        typer.Option("--setup", help="Set up template, lifecycle and Kibana first, then ship."),
    ] = False,
    health: Annotated[  # noqa: FBT002
        bool, typer.Option("--health", help="Exit 0 if a shipper reached the store lately.")
    ] = False,
    as_json: AsJson = False,  # noqa: FBT002
    results: Results = None,
) -> None:
    """Send the logs of all runs to Elasticsearch or OpenSearch, each line once.

    The store is PERF_PIPELINE_LOGS_URL; PERF_PIPELINE_KIBANA_URL is set up as well where it is
    given. What was sent is noted in results/.logs; a store that is down is waited for, with --once
    for a minute, and for five minutes until it is set up; then exit 2.
    """
    with bad_input_explained(as_json=as_json):
        settings = settings_with(results)
        if settings.logs.url is None:
            raise ScenarioError(
                [f"{LOGS_URL} is not set: where to? Such as http://user:password@host:9200"]
            )
        loose = settings.results_dir / LOOSE_FOLDER
        positions = Positions(positions_path(loose, settings.logs.url))
        if health:
            code = _health(positions.path, time.time())
            if code != Exit.COMPLETE:
                said = f"no shipper has sent all to {LOGS_URL} in the last {_HEALTH_S:g} s"
                show(said, as_json=as_json)
            raise typer.Exit(code)
        with only_shipper(positions.path):
            shipped = _ship(settings, positions, once=once, setup=setup, as_json=as_json)
    is_whole = not (shipped["rejected"] or shipped["damaged"])
    answer(shipped, as_json=as_json)
    raise typer.Exit(Exit.COMPLETE if is_whole else Exit.GATE_FAILED)


def _ship(
    settings: Settings, positions: Positions, *, once: bool, setup: bool, as_json: bool
) -> dict[str, int | str]:
    loose = settings.results_dir / LOOSE_FOLDER
    PROCESS_LOG.open(LogContext(folder=str(loose)), "log-shipper")

    def notify(text: str) -> None:
        show(text, as_json=as_json)

    assert settings.logs.url is not None
    store = Store(settings.logs.url)
    try:
        PROCESS_LOG.write("info", "shipper-began", f"logs are shipped to {store.shown}")
        if setup:
            _set_up(store, settings.logs.kibana_url, notify)
        shipper = Shipper(
            settings.results_dir,
            settings.state_dir,
            store,
            positions,
            _wait_for(store, _ONCE_S if once else None),
            rng=random.Random(),
            notify=notify,
        )
        try:
            while shipper.round() or not once:
                if not once:
                    _note_health(store, positions.path)
                    time.sleep(_ROUND_S)
        except KeyboardInterrupt:
            notify("interrupted; what was sent is noted, the rest is sent by the next shipper")
        total = shipper.total
        said = (
            f"{total.stored} lines stored, {total.known} were there already, {total.rejected} "
            f"refused, {total.damaged} damaged, {total.missing} missing in the files"
            + (f"; the latest refusal: {total.reason}" if total.reason else "")
        )
        level: Level = "warning" if total.rejected or total.damaged else "info"
        PROCESS_LOG.write(level, "shipper-ended", said)
        notify(said)
        return asdict(total)
    except ServiceUnavailableError as error:
        PROCESS_LOG.write("error", "shipper-ended", str(error))
        raise
    finally:
        PROCESS_LOG.close()


def _set_up(store: Store, kibana_url: str | None, notify: Callable[[str], None]) -> None:
    """Set up the store and Kibana, which may start at the same time as we do."""
    for sentence in _waited(store, lambda: set_up_store(store, _INFRA), notify):
        notify(sentence)
    if kibana_url is not None:
        kibana = Store(kibana_url)
        notify(_waited(kibana, lambda: set_up_kibana(kibana, _INFRA), notify))


def _waited(store: Store, call: Callable[[], Answered], notify: Callable[[str], None]) -> Answered:
    """Call until the store answers."""
    wait, is_new = _wait_for(store, _SETUP_S), True
    while True:
        try:
            return call()
        except StoreBusyError as error:
            if is_new:
                notify(f"{error}; waiting for it for at most {_SETUP_S:g} s")
            is_new = False
            wait.before_retry(error, _ROUND_S)


def _wait_for(store: Store, limit_s: float | None) -> StoreWait:
    return StoreWait(store.shown, limit_s, clock_s=time.monotonic, sleep=time.sleep)


def _note_health(store: Store, positions: Path) -> None:
    """Note that everything was sent, and that the store answers also where that was nothing."""
    with suppress(StoreBusyError):  # then the note grows old
        store.request("GET", "/")
        positions.with_suffix(".health").touch()


def _health(positions: Path, now_s: float) -> int:
    """Return 0 if a shipper had sent everything lately."""
    path = positions.with_suffix(".health")
    is_fresh = path.exists() and now_s - path.stat().st_mtime < _HEALTH_S
    return Exit.COMPLETE if is_fresh else Exit.GATE_FAILED
