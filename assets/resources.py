"""What a Dagster run needs of the world: one load run with its servers."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

import dagster as dg
from pydantic import Field, PrivateAttr

from assets.failure import RunFailedError
from assets.launchpad.flag_form import RESULTS_DIR, WAIT, flags_in, settings_with, with_flags
from assets.tags import GATE_TAG, NOT_MEASURED, SCENARIO_TAG, VERDICT_TAG, run_tags
from perf_pipeline.config.duration import parse_duration
from perf_pipeline.config.flags.overrides import Overrides
from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.scenario.builtin import open_scenario
from perf_pipeline.config.scenario.scenario import Scenario
from perf_pipeline.config.settings import Settings
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.first_workers import first_workers
from perf_pipeline.loadgen.checked_run import CheckedRun, read_checked_run
from perf_pipeline.loadgen.environment.environment import TargetEnvironment
from perf_pipeline.program.failure_note import NOTICE_PREFIX
from perf_pipeline.redaction.redact import redacted
from perf_pipeline.run import Run
from perf_pipeline.samples.run_folder import RunFolder


class GateChoice(StrEnum):
    """The tables of targets that can be a run's gate."""

    production = "production"
    goal = "goal"


@with_flags(Overrides)
class LoadRun(dg.ConfigurableResource["LoadRun"]):
    """One load run. Its servers live as long as the Dagster run, whichever steps are in it."""

    scenario: str = Field(
        default="baseline", description="Name of a scenario, or path of a scenario file."
    )
    run_id: str | None = Field(default=None, description="Id of the run; normally left empty.")
    gate: GateChoice | None = Field(
        default=None,
        description="The run fails unless the targets of this table are met, beside its own "
        "objectives (slos).",
    )
    results_dir: str | None = RESULTS_DIR
    wait: str = WAIT
    recorded: str | None = Field(
        default=None,
        description="Folder of a run that has ended: it is measured and reported, not run again.",
    )

    _run: Run = PrivateAttr()
    _refused: str = PrivateAttr(default="")

    @property
    def run(self) -> Run:
        """The run; its servers start when they are first asked for.

        Raises:
            RunFailedError: The scenario is wrong; with every problem.
        """
        if self._refused:
            raise RunFailedError(self._refused)
        return self._run

    @property
    def recorded_folder(self) -> RunFolder | None:
        """The run that has ended already, if this is about one.

        Raises:
            RunFailedError: Its folder was not filled in.
        """
        if self.recorded == "":
            raise RunFailedError("recorded is empty: set the folder of a run that has ended")
        return None if self.recorded is None else RunFolder(Path(self.recorded))

    @property
    def overrides(self) -> Overrides:
        """What the configuration changes in the scenario: the flags of ``run``."""
        given: Overrides = flags_in(self, Overrides)
        return given

    def _checked(self, settings: Settings) -> tuple[Scenario, dict[str, TargetEnvironment]]:
        """Return what the command line has checked, if it started this run; else open it now."""
        if checked := checked_run(settings, self.run_id):
            return checked.scenario, checked.environments
        return open_scenario(self.scenario, read_machine_limits(), self.overrides), {}

    @contextmanager
    def yield_for_execution(
        self, context: dg.InitResourceContext
    ) -> Generator["LoadRun", None, None]:
        """Prepare the run, and give everything back when the Dagster run ends."""
        self._refused = ""
        if self.recorded is not None:
            yield self
            return
        try:
            settings = settings_with(self.results_dir)
            scenario, environments = self._checked(settings)
            run = Run(
                scenario,
                settings,
                run_id=self.run_id,
                notify=notifier(context.log),
                environments=environments,
                wait_s=parse_duration(self.wait, "wait"),
                prepared=first_workers(self.run_id),
            )
        except PerfPipelineError as error:
            # The first step raises it: an error here would be lost in 300 lines of Dagster's log.
            self._refused = str(error)
            _tag(context, {SCENARIO_TAG: self.scenario, VERDICT_TAG: NOT_MEASURED})
            yield self
            print(self._refused, file=sys.stderr, flush=True)  # noqa: T201 - the last line
            return
        with run:
            self._run = run
            hang_up_as_terminate()
            gate = {GATE_TAG: self.gate.value} if self.gate else {}
            _tag(context, {**run_tags(scenario), **gate})
            yield self


def checked_run(settings: Settings, run_id: str | None) -> CheckedRun | None:
    """Return what the command line has checked, if it started this run."""
    if settings.checked_run is None:
        return None
    checked = read_checked_run(settings.checked_run)
    return checked if checked.run_id == run_id else None


def hang_up_as_terminate() -> None:
    """Let SIGHUP, of a terminal that was closed, end this process as SIGTERM does.

    Dagster makes SIGTERM a request that steps obey, and leaves SIGHUP alone. One that is ignored
    (``nohup``) stays so.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:
        signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))


def _tag(context: dg.InitResourceContext, tags: dict[str, str]) -> None:
    if context.instance and context.run_id:
        context.instance.add_run_tags(context.run_id, tags)


def notifier(log: dg.DagsterLogManager | None) -> Callable[[str], None]:
    """Return what shows a line in Dagster's log, and to the parent process on stderr."""

    def notify(text: str) -> None:
        text = redacted(text)
        if log:
            log.info(text)
        print(f"{NOTICE_PREFIX}{text}", file=sys.stderr, flush=True)  # noqa: T201

    return notify
