"""The course of a run: which load levels it plays, in which order, and when it ends early."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from perf_pipeline.config.machine import processes_of, read_machine_limits
from perf_pipeline.loadgen.plan.plan import plan_levels
from perf_pipeline.samples.manifest import Stopped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perf_pipeline.config.interleaved.arms import AbQuestion
    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.loadgen.plan.level_plan import LevelPlan
    from perf_pipeline.loadgen.supervise.level_log import LevelLog
    from perf_pipeline.samples.manifest import SearchedLoad
    from perf_pipeline.samples.run_folder import RunFolder


class Course(Protocol):
    """Decides what a run plays."""

    @property
    def scenario(self) -> Scenario:
        """The scenario, checked."""

    @property
    def searched(self) -> SearchedLoad | None:
        """The load that a search varies, for the manifest; None where all levels are planned."""

    @property
    def compared(self) -> AbQuestion | None:
        """The arms of an interleaved comparison, for the manifest; None for any other run."""

    def scenario_of(self, plan: LevelPlan) -> Scenario:
        """Return the scenario that a level belongs to: another one for each arm."""

    def plans(self, left_out: tuple[str, ...]) -> list[LevelPlan]:
        """Return the levels that are known before the run starts.

        Args:
            left_out: Unavailable servers, to which workflows do not write.
        """

    def levels(self, plans: list[LevelPlan], folder: RunFolder) -> Iterator[LevelPlan]:
        """Yield the levels in order, each after the one before has been played.

        Args:
            plans: What ``plans`` returned; includes every level that has been yielded.
            folder: The run's.
        """

    def stopped(self, plan: LevelPlan, log: LevelLog, plans: Sequence[LevelPlan]) -> Stopped | None:
        """Return why no level is played after this one; None if the run goes on."""


class PlannedCourse:
    """Plays every level of a scenario, as planned before the run.

    Attributes:
        scenario: The scenario.
    """

    def __init__(self, scenario: Scenario) -> None:
        """Take a checked scenario."""
        self.scenario = scenario

    @property
    def searched(self) -> None:
        """Nothing is searched for."""
        return None

    @property
    def compared(self) -> None:
        """Nothing is compared."""
        return None

    def scenario_of(self, plan: LevelPlan) -> Scenario:  # noqa: ARG002
        """Return the only scenario."""
        return self.scenario

    def plans(self, left_out: tuple[str, ...]) -> list[LevelPlan]:
        """Return every level and arm."""
        processes = processes_of(self.scenario, read_machine_limits())
        return plan_levels(self.scenario, processes, left_out)

    def levels(self, plans: list[LevelPlan], folder: RunFolder) -> Iterator[LevelPlan]:  # noqa: ARG002
        """Yield them in their order."""
        yield from plans

    def stopped(self, plan: LevelPlan, log: LevelLog, plans: Sequence[LevelPlan]) -> Stopped | None:
        """Return why the run stops after this level; None if it goes on."""
        return stopped_at(plan, log, plans)


def stopped_at(plan: LevelPlan, log: LevelLog, plans: Sequence[LevelPlan]) -> Stopped | None:
    """Return why no level is played after this one; None if the run goes on.

    Args:
        plan: The level that has just been played.
        log: The log of its supervisor.
        plans: Every level of the run.
    """
    if not log.ended_because.stops_run:
        return None
    later = tuple(one.shown for one in plans if one.index > plan.index)
    return Stopped(plan.shown, log.ended_because, log.ended_detail, later)
