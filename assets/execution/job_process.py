"""Executes a job in the process of a command: what ``dagster job execute`` does, and no more.

The package of that command imports every other one as well (servers, gRPC, scaffolding): 0.1 s for
which whoever runs a load would wait.
"""

import json
import sys
from pathlib import Path

import dagster as dg
from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.definitions.reconstruct import ReconstructableJob, ReconstructableRepository
from dagster._utils.interrupts import capture_interrupts

from assets.execution import load_location
from assets.storage.open_files import open_files_once

WHOLE = "assets.definitions"
ON_HOSTS = dict.fromkeys(
    ("sharded_load_celery", "sharded_load_celery_docker"), "assets.execution.deployed_location"
)
"""Jobs of a location that needs more packages."""

open_files_once()


def execute(job: str, config: str) -> int:
    """Execute a job of this code location, and record it as the command does.

    Args:
        job: Its name.
        config: File with its configuration, JSON.

    Returns:
        The exit code: 1 if the run failed.
    """
    with (
        capture_interrupts(),
        dg.DagsterInstance.get() as instance,
        dg.execute_job(
            _found(job),
            instance=instance,
            run_config=json.loads(Path(config).read_bytes()),
            raise_on_error=False,
        ) as result,
    ):
        return 0 if result.success else 1


def _found(job: str) -> ReconstructableJob:
    """Return a job with its place; of the whole code location only where it is no load job's."""
    is_load = job in {one.name for one in load_location.JOBS}
    place = load_location.__name__ if is_load else ON_HOSTS.get(job, WHOLE)
    pointer = ModuleCodePointer(place, "defs", str(Path.cwd()))
    repository = ReconstructableRepository(
        pointer, executable_path=sys.executable, entry_point=["dagster"]
    )
    return repository.get_reconstructable_job(job)
