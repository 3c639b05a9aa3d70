"""``python -m perf_pipeline.loadgen.environment.make_environments TARGET...``: fills the cache.

For an image, so that no run made of it waits for a package index, or needs one.
"""

from __future__ import annotations

import os
import sys

from perf_pipeline.config.scenario.target_spec import parse_target
from perf_pipeline.config.settings import current_settings
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.loadgen.environment.environment import find_uv, make_environment


def main(targets: list[str]) -> None:
    """Make the environment of each target, unless the cache has it.

    Args:
        targets: As ``--target`` takes them.
    """
    uv = find_uv(os.environ)
    try:
        settings = current_settings()
        for target in targets:
            made = make_environment(
                parse_target(target), cache_dir=settings.cache_dir, environ=os.environ, uv=uv
            )
            sys.stdout.write(f"{target}: {made.python}, {len(made.packages)} packages\n")
    except PerfPipelineError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])
