"""What a Dagster run needs of the world: one load run with its servers."""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

import dagster as dg
from pydantic import Field, PrivateAttr

from assets.flag_form import RESULTS_DIR, WAIT, flags_in, settings_with, with_flags
from perf_pipeline.config.duration import parse_duration
from perf_pipeline.config.flags.overrides import Overrides
from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.scenario.builtin import open_scenario
from perf_pipeline.config.scenario.scenario import Scenario
from perf_pipeline.config.settings import Settings
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.lifeline import own_stamp
from perf_pipeline.loadgen.checked_run import read_checked_run
from perf_pipeline.loadgen.environment.environment import TargetEnvironment
from perf_pipeline.redaction.redact import redacted
from perf_pipeline.run import NOTICE_PREFIX, Run

SCENARIO_TAG, TARGET_TAG = "perf_pipeline/scenario", "perf_pipeline/target"
PROCESS_TAG = "perf_pipeline/process"
"""Who executes a Dagster run: process id, start and boot, so that clearing knows if it is dead."""


def run_tags(scenario: Scenario) -> dict[str, str]:
    """Return the tags by which a Dagster run is filtered for, and cleared when it was killed."""
    process = json.dumps(own_stamp())
    return {SCENARIO_TAG: scenario.name, TARGET_TAG: scenario.target, PROCESS_TAG: process}


@with_flags(Overrides)
class LoadRun(dg.ConfigurableResource["LoadRun"]):
    """One load run. Its servers live as long as the Dagster run, whichever steps are in it."""

    scenario: str = Field(
        default="baseline", description="Name of a scenario, or path of a scenario file."
    )
    run_id: str | None = Field(default=None, description="Id of the run; normally left empty.")
    results_dir: str | None = RESULTS_DIR
    wait: str = WAIT

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
        given: Overrides = flags_in(self, Overrides)
        return given

    def _checked(self, settings: Settings) -> tuple[Scenario, dict[str, TargetEnvironment]]:
        """Return what the command line has checked, if it started this run; else open it now."""
        if settings.checked_run is not None:
            checked = read_checked_run(settings.checked_run)
            if checked.run_id == self.run_id:
                return checked.scenario, checked.environments
        return open_scenario(self.scenario, read_machine_limits(), self.overrides), {}

    @contextmanager
    def yield_for_execution(
        self, context: dg.InitResourceContext
    ) -> Generator["LoadRun", None, None]:
        """Prepare the run, and give everything back when the Dagster run ends."""
        self._refused = ""
        try:
            settings = settings_with(self.results_dir)
            scenario, environments = self._checked(settings)
            run = Run(
                scenario,
                settings,
                run_id=self.run_id,
                notify=_notifier(context),
                environments=environments,
                wait_s=parse_duration(self.wait, "wait"),
            )
        except PerfPipelineError as error:
            # The first step raises it: an error here would be lost in 300 lines of Dagster's log.
            self._refused = str(error)
            yield self
            print(self._refused, file=sys.stderr, flush=True)  # noqa: T201 - the last line
            return
        with run:
            self._run = run
            hang_up_as_terminate()
            if context.instance and context.run_id:
                context.instance.add_run_tags(context.run_id, run_tags(scenario))
            yield self


def hang_up_as_terminate() -> None:
    """Let SIGHUP, of a terminal that was closed, end this process as SIGTERM does.

    Dagster makes SIGTERM a request that steps obey, and leaves SIGHUP alone. One that is ignored
    (``nohup``) stays so.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:
        signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))


def _notifier(context: dg.InitResourceContext) -> Callable[[str], None]:
    """Return what shows a line in Dagster's log, and to the parent process on stderr."""

    def notify(text: str) -> None:
        text = redacted(text)
        if context.log:
            context.log.info(text)
        print(f"{NOTICE_PREFIX}{text}", file=sys.stderr, flush=True)  # noqa: T201

    return notify
