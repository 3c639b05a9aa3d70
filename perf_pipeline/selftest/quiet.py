"""On a quiet machine hardly a level is called noisy: false alarms of noisy_host are counted.

Short levels of the control target are played one after the other, each with a calibration before
and after it, and judged as the levels of a run are. Run it while nothing else uses the machine:
a neighbour that is there is no false alarm.
"""

from __future__ import annotations

import logging
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.analysis.slo.steady import wilson
from perf_pipeline.config.scenario.scenario import Workload
from perf_pipeline.host.level_calibration import LevelCalibration
from perf_pipeline.metrics.level_context import LevelContext
from perf_pipeline.metrics.resources.resource_sampler import ResourceSampler
from perf_pipeline.metrics.summary import summarise_level
from perf_pipeline.selftest.figure import Figure, Size
from perf_pipeline.selftest.loads.closed_level import ClosedLevel

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.noise import Noise

WORKLOAD = Workload("transformation", "medium")
CONCURRENCY = 20
SAMPLE_EVERY_S = 0.5
LEVELS = {Size.CI: 1, Size.FULL: 50}
MAX_FALSE_ALARMS = {Size.CI: 1, Size.FULL: 2}
"""Of the levels; 2 of 50 are a rate of 4 %."""

log = logging.getLogger(__name__)


def run(size: Size, seed: int) -> list[Figure]:
    """Play and judge the levels."""
    level = ClosedLevel("control", "lean", WORKLOAD, CONCURRENCY, 0.2, 4.6, seed)
    python = level.python()
    found: list[Noise] = []
    with tempfile.TemporaryDirectory(prefix="perf-pipeline-selftest-") as temporary:
        calibration = LevelCalibration(Path(temporary), now_s=time.monotonic, sleep=time.sleep)
        folders = [Path(temporary, str(number)) for number in range(LEVELS[size])]
        for folder in folders:
            folder.mkdir()
            calibration.before(folder)
            with ResourceSampler(folder / "resources.jsonl", {}) as monitor:
                level.play(folder, python, monitor.sample, SAMPLE_EVERY_S)
            calibration.ended()
        calibration.after_last()
        for folder in folders:
            metrics = summarise_level(
                folder, LevelContext(level.kinds, (), {}, noise="judge")
            ).level
            if metrics.noise is None:
                raise AssertionError("noise is judged")
            found.append(metrics.noise)
            log.info(
                "%s: %s; %s",
                folder.name,
                metrics.validity,
                "; ".join(
                    f"{each.what}: {each.value:.3g} {each.unit}"
                    for each in metrics.noise.figures
                    if each.value is not None and each.limit is not None
                ),
            )
    return _figures(size, found)


def _figures(size: Size, found: list[Noise]) -> list[Figure]:
    noisy = [noise for noise in found if noise.verdict == "noisy"]
    unknown = sum(noise.verdict == "unknown" for noise in found)
    low, high = wilson(len(noisy) / len(found), len(found))
    causes = "; ".join(cause for noise in noisy for cause in noise.causes)
    rate = f"{100 * len(noisy) / len(found):.1f} % [{100 * low:.1f}, {100 * high:.1f}]"
    of = f"of {len(found)} quiet levels"
    return [
        Figure(
            f"levels called noisy, {of}",
            len(noisy),
            "levels",
            MAX_FALSE_ALARMS[size],
            note=f"{rate}{': ' if causes else ''}{causes}",
        ),
        Figure(f"levels of which it is unknown, {of}", unknown, "levels", 0),
    ]
