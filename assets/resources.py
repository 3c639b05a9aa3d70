"""What a Dagster run needs of the world: one load run with its servers."""

import json
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field, PrivateAttr

from perf_pipeline.config.flags.overrides import Overrides
from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.scenario.builtin import open_scenario
from perf_pipeline.config.settings import current_settings
from perf_pipeline.errors import ScenarioError
from perf_pipeline.lifeline import own_stamp
from perf_pipeline.run import NOTICE_PREFIX, Run

SCENARIO_TAG, TARGET_TAG = "perf_pipeline/scenario", "perf_pipeline/target"
PROCESS_TAG = "perf_pipeline/process"
"""Who executes a Dagster run: process id, start and boot, so that clearing knows if it is dead."""


class NodesChoice(StrEnum):
    """The values of ``nodes``: the launchpad offers them, and takes no other."""

    code = "code"
    lean = "lean"


class ComplexityChoice(StrEnum):
    """The values of ``complexity``, likewise."""

    simple = "simple"
    medium = "medium"
    complex = "complex"


class OrderChoice(StrEnum):
    """The values of ``order``, likewise."""

    as_written = "as_written"
    shuffled = "shuffled"


class ScheduleChoice(StrEnum):
    """The values of ``schedule``, likewise."""

    poisson = "poisson"
    constant = "constant"


class LoadRun(dg.ConfigurableResource["LoadRun"]):
    """One load run. Its servers live as long as the Dagster run, whichever steps are in it."""

    scenario: str = Field(
        default="baseline", description="Name of a scenario, or path of a scenario file."
    )
    concurrency: list[int] = Field(
        default=[], description="Levels: workflows in flight. Empty: those of the scenario."
    )
    max_concurrency: int | None = Field(
        default=None, description="Leave out levels above this; above all of them, add one."
    )
    target: str | None = Field(
        default=None,
        description="What executes the workflows: kailash, kailash==2.19.0, kailash+pandas, ...",
    )
    settings: list[str] = Field(default=[], description="Settings of the target, each NAME=VALUE.")
    processes: int | None = Field(default=None, description="Worker processes a level.")
    memory_limit_mb: float | None = Field(
        default=None, description="Memory of all workers of a level, MB; one above is ended."
    )
    cpu_limit_percent: float | None = Field(
        default=None, description="CPU of all workers of a level, percent of one core."
    )
    nodes: NodesChoice | None = Field(
        default=None,
        description="How workflows are written: code (as users do) or lean. Empty: the scenario's.",
    )
    complexity: ComplexityChoice | None = Field(
        default=None, description="Complexity of every workflow. Empty: the scenario's."
    )
    slos: list[str] = Field(
        default=[],
        description="What the run must keep, each like p99_s < 0.5; beside the scenario's.",
    )
    duration_s: float | None = Field(
        default=None, description="Least length of the steady phase of a level, seconds."
    )
    seed: int | None = Field(default=None, description="Source of every random choice.")
    repeats: int | None = Field(default=None, description="How many times the levels run.")
    order: OrderChoice | None = Field(
        default=None, description="Order of the levels of each repeat. Empty: the scenario's."
    )
    rates: list[float] = Field(
        default=[],
        description="Open levels: workflows that arrive a second. Empty: those of the scenario.",
    )
    schedule: ScheduleChoice | None = Field(
        default=None, description="When they arrive: poisson or constant. Empty: poisson."
    )
    slots: int | None = Field(
        default=None, description="Workflows in flight at most, in every open level."
    )
    run_id: str | None = Field(default=None, description="Id of the run; normally left empty.")
    results_dir: str | None = Field(
        default=None, description="Folder of the runs. Empty: PERF_PIPELINE_RESULTS or results/."
    )

    _run: Run = PrivateAttr()
    _refused: str = PrivateAttr(default="")

    @property
    def run(self) -> Run:
        """The run; its servers start when they are first asked for.

        Raises:
            dg.Failure: The scenario is wrong; with every problem.
        """
        if self._refused:
            raise dg.Failure(self._refused, allow_retries=False)
        return self._run

    @property
    def overrides(self) -> Overrides:
        """What the configuration changes in the scenario: the flags of ``run``."""
        given = {field.name: getattr(self, field.name) for field in fields(Overrides)}
        return Overrides(**{name: _plain(value) for name, value in given.items()})

    @contextmanager
    def yield_for_execution(
        self, context: dg.InitResourceContext
    ) -> Generator["LoadRun", None, None]:
        """Prepare the run, and give everything back when the Dagster run ends."""
        self._refused = ""
        try:
            scenario = open_scenario(self.scenario, read_machine_limits(), self.overrides)
        except ScenarioError as error:
            # Told by the first step: of an error here Dagster prints 300 lines that end without it.
            self._refused = str(error)
            yield self
            print(self._refused, file=sys.stderr, flush=True)  # noqa: T201 - as the last word
            return
        settings = current_settings()
        if self.results_dir:
            settings = replace(settings, results_dir=Path(self.results_dir))
        with Run(scenario, settings, run_id=self.run_id, notify=_notifier(context)) as run:
            self._run = run
            _tag(context, scenario.name, scenario.target)
            yield self


def _plain(value: Any) -> Any:
    """Return a field as a flag of ``run`` would give it: no list is none given."""
    if isinstance(value, list):
        return tuple(value) or None
    return value.value if isinstance(value, StrEnum) else value


def _tag(context: dg.InitResourceContext, scenario: str, target: str) -> None:
    """Make the Dagster run one that can be filtered for, and be cleared when it was killed."""
    if context.instance and context.run_id:
        process = json.dumps(own_stamp())
        tags = {SCENARIO_TAG: scenario, TARGET_TAG: target, PROCESS_TAG: process}
        context.instance.add_run_tags(context.run_id, tags)


def _notifier(context: dg.InitResourceContext) -> Callable[[str], None]:
    """Tell people through Dagster's log, and whoever started this process through its stderr."""

    def notify(text: str) -> None:
        if context.log:
            context.log.info(text)
        print(f"{NOTICE_PREFIX}{text}", file=sys.stderr, flush=True)  # noqa: T201

    return notify
