"""A program beside a run is found by the run, on the real machine."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.analysis.measure import measure_run
from perf_pipeline.config.scenario.scenario import Phases, Scenario, Workload
from perf_pipeline.config.settings import current_settings
from perf_pipeline.run import Run
from perf_pipeline.samples.manifest import read_manifest, write_manifest

if TYPE_CHECKING:
    from perf_pipeline.config.settings import Settings

pytestmark = [pytest.mark.integration, pytest.mark.alone]

BESIDE = Scenario(
    name="beside",
    target="control",
    nodes="lean",
    concurrency=(2,),
    processes=1,
    workloads=(Workload("transformation", "simple"),),
    phases=Phases(ramp_up_s=0.1, warm_up_s=0.1, steady_s=4.4, drain_s=2.0),
    sample_every_s=0.5,
)
HOG = "import time\nend = time.monotonic() + 60\nwhile time.monotonic() < end: pass"


def test_a_program_beside_the_load_is_named_as_the_cause_that_a_run_is_no_measurement(
    settings: Settings,
) -> None:
    """A hog on a core for the level: noisy_host, with the share that it took.

    The same run on a machine that is known to be shared says as much and is judged without it.
    """
    own = replace(settings, cache_dir=current_settings().cache_dir, noise="judge")
    hog = subprocess.Popen([sys.executable, "-c", HOG])
    try:
        with Run(BESIDE, own) as run:
            folder = run.load()
    finally:
        hog.kill()
        hog.wait()
    metrics = measure_run(folder)
    (level,) = metrics.levels

    assert (metrics.validity, level.validity) == ("noisy_host", "noisy_host")
    assert level.noise is not None
    others = level.noise.figures[0]
    assert others.value is not None
    assert others.value > 10
    assert "share of the cores that other programs used" in metrics.reasons[0]
    kept = metrics.manifest.noise
    assert kept.handling == "judge"
    for calibration in (kept.before, kept.after):
        assert calibration is not None
        assert 1 < calibration.core_ns_per_unit < 2000
        assert calibration.fsyncs > 0

    write_manifest(folder, replace(read_manifest(folder), noise=replace(kept, handling="tell")))
    told = measure_run(folder)
    assert told.validity == "valid"
    assert told.levels[0].noise == replace(level.noise, judged=False)
