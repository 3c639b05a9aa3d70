"""Runs as far as lists read them, and the site of a results folder."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from perf_pipeline.catalogue.alerts import store_alert
from perf_pipeline.catalogue.store import open_catalogue
from perf_pipeline.dashboard.live_runs import LiveRuns
from perf_pipeline.dashboard.server import dashboard_server
from perf_pipeline.dashboard.site import Site
from perf_pipeline.metrics.types.alert import Alert, MetricKey, Movement

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BEGIN = datetime(2026, 1, 14, tzinfo=UTC)
LINE: dict[str, Any] = {
    "schema_version": 1,
    "scenario": "baseline",
    "target": "kailash",
    "verdict": "met",
    "validity": "valid",
    "level": "100",
    "throughput_per_s": 412.345,
    "times": "service",
    "p99_s": 0.98765,
    "p99_is_bound": False,
    "p99_is_weak": False,
    "ok": 8246,
    "ended": 8260,
    "timed": 8260,
    "error_ratio": 0.0017,
}


def write_run(results: Path, number: int, *, status: str = "complete", **line: Any) -> Path:
    """Write a run as far as the list reads it, started ``number`` minutes after another."""
    at = BEGIN + timedelta(minutes=number)
    run_id = f"{at:%Y%m%d_%H%M%S}-{number:04x}"
    folder = results / run_id
    folder.mkdir(parents=True)
    record = {
        "run_id": run_id,
        "scenario": str(line.get("scenario", "baseline")),
        "status": status,
        "process": [1, 1, "another boot", 1, ""],
        "started_at": at.isoformat(),
    }
    (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
    (folder / "headline.json").write_text(json.dumps({**LINE, **line}), encoding="utf-8")
    (folder / "report.html").write_text("the report", encoding="utf-8")
    return folder


def raise_alert(results: Path, first_bad: str, *, scenario: str = "baseline") -> None:
    """Store an alert in the catalogue of a results folder."""
    key = MetricKey("kailash", "100", "", "p99_s")
    moved = Movement(
        key, "s", False, "ratio", 1.4, 1.3, 1.5, "confirmed", "major", first_bad, "20260101_000000"
    )
    with open_catalogue(results).writing() as session:
        store_alert(session, Alert(first_bad, scenario, "open", BEGIN.isoformat(), (moved,)))


def site_of(*folders: Path, now_s: float = 0.0, **more: Any) -> Site:
    """Return the site of results folders; runs whose process is not seen are silent for long."""
    return Site(lambda: folders, LiveRuns(lambda: now_s or 1e12), **more)


def page_of(site: Site, address: str) -> str:
    """Return the text of a page."""
    return site.answer(address).body.decode()


@contextmanager
def serving(site: Site) -> Iterator[int]:
    """Serve a site on a free port of loopback."""
    with dashboard_server(site, 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield int(server.server_address[1])
        server.shutdown()
