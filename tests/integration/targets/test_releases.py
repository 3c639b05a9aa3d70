"""Released versions of kailash execute the same workflows with the same, checked results."""

from __future__ import annotations

import os

import psutil
import pytest

from perf_pipeline.config.scenario.target_spec import parse_target
from perf_pipeline.config.settings import current_settings
from perf_pipeline.loadgen.environment.environment import find_uv, make_environment
from tests.integration.targets.bench import ANALYTICS, KINDS, PROCESSING, Bench

pytestmark = [pytest.mark.integration, pytest.mark.slow]

RELEASES = [
    "kailash==2.62.0",
    "kailash==2.20.0",
    "kailash==2.19.0",
    "kailash==2.18.0",
    "kailash==2.17.0",
    "kailash==2.3.4+requests",  # what these two import and do not ask for
    "kailash==1.0.0+psutil+requests+numpy+scikit-learn",
    "kailash==0.12.2",
]


@pytest.mark.parametrize("target", RELEASES)
@pytest.mark.parametrize("nodes", ["code", "lean"])
def test_a_release_gives_the_right_result_of_every_workflow_and_may_grow_as_any_process(
    bench: Bench, target: str, nodes: str
) -> None:
    """Its process keeps the address space that it was given, which those before 2.63 would cut."""
    bench.python = make_environment(
        parse_target(target),
        cache_dir=current_settings().cache_dir,
        environ=os.environ,
        uv=find_uv(os.environ),
    ).python
    bench.written(nodes)
    driver = bench.start("kailash", [(kind, 10 + kind) for kind in range(len(KINDS))])
    answer = driver.answer()

    assert set(answer.classes()) == {"OK"}, answer.texts()
    assert set(bench.found()["postgres"]) == {10 + ANALYTICS, 10 + PROCESSING}
    whole = psutil.Process().rlimit(psutil.RLIMIT_AS)
    assert psutil.Process(driver.pid).rlimit(psutil.RLIMIT_AS) == whole
