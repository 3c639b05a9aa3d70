"""An exporter's answer counts as a scrape only if Prometheus still waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.monitoring.exporter import RunCollector

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from perf_pipeline.monitoring.sample import Sample


class _OverReader:
    """Of a run that is over."""

    has_begun = is_over = True

    def read(self) -> None:
        """Read nothing."""

    def samples(self) -> Iterator[Sample]:
        """Return nothing."""
        return iter(())


@pytest.mark.parametrize(
    ("took_s", "timeout", "counted"),
    [(1.0, "4", 1), (3.9, "4", 0), (10.0, "4", 0), (10.0, None, 1)],
)
def test_an_answer_that_comes_too_late_for_prometheus_is_no_scrape(
    took_s: float, timeout: str | None, counted: int
) -> None:
    """An exporter that counted it ended before its last values had arrived."""
    now_s = 0.0

    def app(_environ: dict[str, Any], _start_response: object) -> Iterable[bytes]:
        nonlocal now_s
        now_s += took_s
        return [b""]

    collector = RunCollector(_OverReader())
    answer = collector.count_in_time(app, clock_s=lambda: now_s)
    sent = {} if timeout is None else {"HTTP_X_PROMETHEUS_SCRAPE_TIMEOUT_SECONDS": timeout}
    answer(sent, lambda *_given: lambda _body: None)
    assert (collector.scrapes, collector.scrapes_after_end) == (counted, counted)
