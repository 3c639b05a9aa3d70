"""A process that runs one scenario, as the step of an orchestrator does, for tests that kill it.

Usage: step_process.py SCENARIO FOLDER RUN_ID [POSTGRES_URL REDIS_URL]. Keeps everything below
FOLDER but the target's environment. With URLs there are no other servers; without, it starts its
own. Prints what people are told, a line each.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from perf_pipeline.analysis.measure import measure
from perf_pipeline.config.settings import current_settings
from perf_pipeline.report.run.files import write_files
from perf_pipeline.run import Run
from tests.integration.conftest import settings_in
from tests.integration.levels.loads import SCENARIOS


def main() -> None:
    """Do what the arguments say."""
    scenario, folder, run_id, *urls = sys.argv[1:]
    own = settings_in(Path(folder))
    settings = replace(
        own,
        cache_dir=current_settings().cache_dir,
        urls=dict(zip(["postgres", "redis"], urls, strict=False)),
        mongodb_stand_in=None if urls else own.mongodb_stand_in,
    )
    with Run(SCENARIOS[scenario], settings, run_id=run_id, notify=_tell) as run:
        recorded = run.load()
    write_files(recorded, measure(recorded))


def _tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
