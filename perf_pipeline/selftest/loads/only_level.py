"""The only level of a selftest: one worker process on work of known behaviour, no servers."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.analysis.level import measure_level
from perf_pipeline.config.scenario.scenario import Scenario, Workload
from perf_pipeline.loadgen.environment.user_code import NO_USER_CODE, UserCode
from perf_pipeline.loadgen.plan.level_job import kinds_of
from perf_pipeline.loadgen.plan.plan import plan_levels
from perf_pipeline.loadgen.supervise.level_supervisor import LevelSupervisor
from perf_pipeline.metrics.level_context import LevelContext
from perf_pipeline.samples.level_records import read_level
from perf_pipeline.samples.run_folder import write_json
from perf_pipeline.targets.target import Job, ServerAccess

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.config.http.http_request import HttpRequest
    from perf_pipeline.config.scenario.arrivals import Arrivals
    from perf_pipeline.config.scenario.scenario import Phases
    from perf_pipeline.loadgen.plan.level_plan import LevelPlan
    from perf_pipeline.loadgen.supervise.level_log import LevelLog
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.samples.level_records import LevelRecords

PYTHON = Path(sys.executable)
_NO_SERVERS = ServerAccess({}, connections=1, connection_timeout_s=1.0)


@dataclass(frozen=True)
class OnlyLevel:
    """A level that is planned, and can be played, summarised and read.

    Attributes:
        plan: The level.
        job: What its worker executes.
    """

    plan: LevelPlan
    job: Job

    def play(
        self,
        folder: Path,
        *,
        on_second: Callable[[int, list[int]], None] = lambda _now_ns, _pids: None,
        user_code: UserCode = NO_USER_CODE,
    ) -> None:
        """Play it as a run does.

        Args:
            folder: Its folder, empty.
            on_second: Called about once a second with the time and the workers' pids.
            user_code: Working folder, modules and variables of the user's.
        """

        def write_log(log: LevelLog) -> None:
            write_json(folder / "level.json", asdict(log))

        LevelSupervisor(
            self.plan,
            folder=folder,
            python=PYTHON,
            job=self.job,
            user_code=user_code,
            on_second=on_second,
            on_progress=lambda _progress: None,
            write_log=write_log,
            cgroups=None,
        ).run()

    def metrics(self, folder: Path) -> LevelMetrics:
        """Summarise what was played in ``folder``, as a run would report it."""
        kinds = [(kind.family, kind.complexity) for kind in self.job.kinds]
        return measure_level(folder, LevelContext(kinds, (), {}))

    def records(self, folder: Path) -> LevelRecords:
        """Read what was played in ``folder``."""
        return read_level(folder, len(self.job.kinds))


def closed_level(work: str | HttpRequest, slots: int, phases: Phases, seed: int) -> OnlyLevel:
    """Plan a level that keeps ``slots`` calls of ``module:function``, or requests, in flight."""
    target = "callable" if isinstance(work, str) else "http"
    scenario = Scenario("selftest", seed=seed, target=target, concurrency=(slots,), phases=phases)
    return _only(work, scenario)


def open_level(
    work: str | HttpRequest, arrivals: Arrivals, phases: Phases, seed: int, target: str
) -> OnlyLevel:
    """Plan a level that calls ``module:function``, or sends a request, when ``arrivals`` says.

    ``target`` is ``callable``, ``callable_async`` for a coroutine function, or ``http``.
    """
    scenario = Scenario(
        "selftest", seed=seed, target=target, concurrency=(), phases=phases, arrivals=(arrivals,)
    )
    return _only(work, scenario)


def _only(work: str | HttpRequest, scenario: Scenario) -> OnlyLevel:
    name, request = (work, None) if isinstance(work, str) else ("request", work)
    scenario = replace(scenario, workloads=(Workload(name, "", request=request),))
    plan = plan_levels(scenario, processes=1)[0]
    kinds = kinds_of(scenario, ())
    job = Job(kinds, "", scenario.seed, scenario.name, plan.index, _NO_SERVERS)
    return OnlyLevel(plan, job)
