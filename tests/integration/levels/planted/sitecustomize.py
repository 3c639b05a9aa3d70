"""Python imports this at its start: the targets beside it come before those of the project."""

from pathlib import Path

import perf_pipeline.targets

perf_pipeline.targets.__path__.insert(0, str(Path(__file__).with_name("targets")))
