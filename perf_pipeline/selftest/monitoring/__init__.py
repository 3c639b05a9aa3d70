"""What a real Prometheus scrapes of a real run is what its report says.

A run of two levels is scraped every second, until its exporter ends by itself. Counts are compared
with those of the report and have to be equal. Percentiles are read from the scraped buckets and
compared with the records themselves: buckets are 25 % wide at most. The dump of the run
(``export-metrics``) ends with the values that were scraped last. Every query of every dashboard is
asked, and a panel that every run has data for must have some. Then the causes of alerts are played
before a Prometheus and an Alertmanager with the project's rules, all times a twentieth.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from perf_pipeline.config.settings import current_settings
from perf_pipeline.metrics.metrics_file import read_metrics
from perf_pipeline.selftest.alert_trials.figures import alert_figures
from perf_pipeline.selftest.figure import Figure, Size
from perf_pipeline.selftest.monitoring.asked_prometheus import asked_prometheus
from perf_pipeline.selftest.monitoring.scraped_run import scraped_run
from perf_pipeline.selftest.monitoring.scraped_values import ScrapedValues
from perf_pipeline.servers.monitors.monitor import find_program
from perf_pipeline.servers.monitors.programs import PROMETHEUS

STEADY_S = {Size.CI: 2.0, Size.FULL: 60.0}
MAX_CORE_SHARE = {Size.CI: 0.25, Size.FULL: 0.1}
"""CPU time of the exporter by the time between its first and its last scrape, one a second."""
NO_PROMETHEUS = "no prometheus: `make monitoring` unpacks Debian's packages"


def run(size: Size, seed: int) -> list[Figure]:
    """Scrape a run and compare, then play what alerts are for."""
    if find_program(current_settings(), PROMETHEUS) is None:
        return [Figure("runs that were scraped", None, "", 1, at_most=False, note=NO_PROMETHEUS)]
    return [*_scraped(size, seed), *alert_figures(size)]


def _scraped(size: Size, seed: int) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="perf-pipeline-selftest-") as temporary:
        folder = Path(temporary)
        with asked_prometheus(current_settings(), folder / "scrape") as asked:
            played = scraped_run(folder, asked, STEADY_S[size], seed)
            scraped = ScrapedValues(asked, played)
            levels = read_metrics(played).levels
            return [
                *scraped.counts(levels),
                scraped.percentiles(levels),
                scraped.figures(levels),
                scraped.dump(),
                *scraped.boards(),
                *scraped.cost(MAX_CORE_SHARE[size]),
            ]
