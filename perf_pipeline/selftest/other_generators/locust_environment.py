"""Where Locust is: installed by the command that needs it, from a lock, into the cache."""

from __future__ import annotations

import os
from pathlib import Path

from perf_pipeline.config.settings import current_settings
from perf_pipeline.loadgen.environment.environment import environment_of, find_uv
from perf_pipeline.loadgen.environment.environment_spec import EnvironmentSpec

_HERE = Path(__file__).parent


def locust_python() -> Path:
    """Return a Python that has Locust, making its environment if it is not in the cache.

    Raises:
        TargetEnvironmentError: It cannot be made; the text says why and what to do.
    """
    lock = (_HERE / "requirements.lock").read_text(encoding="utf-8")
    return environment_of(
        EnvironmentSpec("Locust", lock),
        cache_dir=current_settings().cache_dir,
        environ=os.environ,
        uv=find_uv(os.environ),
    ).python


def locust_command(script: str, *arguments: object) -> list[str]:
    """Return the command that runs one of the scripts beside this file; it may raise as above."""
    return [str(locust_python()), str(_HERE / script), *map(str, arguments)]
