"""The workers of a run's first level, started before the run begins to import their target.

Whoever starts a run waits for the imports of the target (kailash: half a second of processor time a
worker) and for those of the process that plays it; side by side, the load begins that much sooner.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.target_spec import parse_target
from perf_pipeline.loadgen.supervise.started_worker import StartedWorker, WorkerFiles
from perf_pipeline.loadgen.supervise.worker_process import WORKER_MODULE

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.loadgen.environment.user_code import UserCode
    from perf_pipeline.loadgen.plan.level_plan import LevelPlan
    from perf_pipeline.samples.run_folder import RunFolder

IMPORT_S = 120.0
"""What takes longer to import is not waited for before the level begins to wait for it."""


class PreparedWorkers:
    """Workers that import their target, for the level that they were started for and no other.

    Attributes:
        folder: The run's.
    """

    def __init__(
        self, plan: LevelPlan, folder: RunFolder, python: Path, user_code: UserCode
    ) -> None:
        """Make the run's folder and start them.

        Args:
            plan: The level; its workers have no limits, which hold from their start on.
            folder: The run's, which does not exist.
            python: The interpreter of its target.
            user_code: As the level will have it.

        Raises:
            FileExistsError: The folder exists.
            OSError: They cannot be started.
        """
        self.folder = folder
        self._wanted = (*_start_of(plan), python, user_code)
        self._workers: list[StartedWorker] = []
        folder.make()
        self._level = folder.root / "levels" / plan.folder_name
        try:
            for worker in range(plan.processes):
                files = WorkerFiles.of(self._level, worker)
                files.home.mkdir(parents=True)
                self._workers.append(
                    StartedWorker(
                        *(files, python, user_code, WORKER_MODULE),
                        bell=os.eventfd(0, os.EFD_CLOEXEC),
                        addresses=None,
                        target=parse_target(plan.target).name,
                    )
                )
        except BaseException:
            self.close()
            raise

    def take(self, plan: LevelPlan, python: Path, user_code: UserCode) -> list[StartedWorker]:
        """Return the workers of a level, once they have imported their target; the caller's then.

        Args:
            plan: The level that begins.
            python: The interpreter of its target.
            user_code: Working folder, modules and variables of the user's.

        Returns:
            None of them if they were started for another level.
        """
        if (*_start_of(plan), python, user_code) != self._wanted:
            self._discard()
        for worker in self._workers:
            worker.wait_imported(IMPORT_S)
        taken, self._workers = self._workers, []
        return taken

    def close(self) -> None:
        """End those that were not taken, and remove the folder of a run that has not begun."""
        self._discard()
        self.folder.remove_unless_begun()

    def _discard(self) -> None:
        if self._workers:
            for worker in self._workers:
                worker.discard()
            shutil.rmtree(self._level, ignore_errors=True)
        self._workers = []


def _start_of(plan: LevelPlan) -> tuple[str, int, str]:
    """Return what the start of a level's workers depends on."""
    return plan.folder_name, plan.processes, plan.target
