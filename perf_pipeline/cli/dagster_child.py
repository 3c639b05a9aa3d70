"""The Dagster job in a child process, as the command line watches it.

Ctrl-C reaches this process alone, which then stops the child in order.
"""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import closing
from dataclasses import asdict
from importlib import import_module
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from perf_pipeline.cli.command_log import JobLog
from perf_pipeline.cli.waiting_dagster import WaitingDagster, waiting_dagster
from perf_pipeline.config.duration import DEFAULT_WAIT
from perf_pipeline.config.scenario.builtin import find_scenario, list_scenarios
from perf_pipeline.config.scenario.target_spec import target_fields
from perf_pipeline.host.load_lock import GAVE_UP
from perf_pipeline.program.failure_note import NOTICE_PREFIX, read_note
from perf_pipeline.redaction.redact import redacted

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from perf_pipeline.cli.interruptions import Interruptions
    from perf_pipeline.cli.views import View
    from perf_pipeline.config.flags.ab_flags import AbFlags
    from perf_pipeline.config.flags.capacity_flags import CapacityFlags
    from perf_pipeline.config.flags.overrides import Overrides
    from perf_pipeline.loadgen.checked_run import CheckedRun
    from perf_pipeline.program.failure_note import FailureNote
    from perf_pipeline.samples.run_folder import RunFolder

POLL_S = 0.2
STOP_GRACE_S = 22.0
STOP_ORDERS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
"""SIGINT is what Dagster turns into a clean end; the next follows after ``STOP_GRACE_S``,
in which the user's teardown may take its 10 s."""

_OF_HOURS = ("hours", "hour_seconds", "rate_per_s")
_FOR_THE_END = "perf_pipeline.cli.outcome"
"""Imported when the child has its orders: it takes a second core some hundred milliseconds before
the child starts its workers, and the outcome is shown that much sooner."""


class DagsterJob(NamedTuple):
    """A job of the code location, with its configuration.

    Attributes:
        name: The job.
        config: What the launchpad would send.
        is_measured: Its run is measured once, at its end, and not level by level.
    """

    name: str
    config: dict[str, Any]
    is_measured: bool = False


def load_job(
    scenario: str,
    overrides: Overrides,
    folder: RunFolder,
    *,
    wait: str = DEFAULT_WAIT,
    gate: str | None = None,
) -> DagsterJob:
    """Return the job that runs a scenario.

    Args:
        scenario: Name or file, checked.
        overrides: Flags, checked.
        folder: The folder that the run will make.
        wait: How long it waits for another load run.
        gate: Table of targets that must be met; None for none.
    """
    fields = {**_fields(scenario, overrides, folder, wait), **({"gate": gate} if gate else {})}
    name = scenario if scenario == "baseline" else "scenario"
    config = {"resources": {"load_run_resource": {"config": fields}}}
    return DagsterJob(name, config, is_measured=True)


def capacity_job(
    scenario: str,
    overrides: Overrides,
    asked: CapacityFlags,
    folder: RunFolder,
    *,
    wait: str = DEFAULT_WAIT,
) -> DagsterJob:
    """Return the job that searches for what was asked; the rest is as of ``load_job``."""
    flags = {name: value for name, value in asdict(asked).items() if value is not None}
    fields = {**_fields(scenario, overrides, folder, wait), **flags}
    return DagsterJob("capacity", {"ops": {"found_capacity": {"config": fields}}})


def ab_job(
    scenario: str,
    overrides: Overrides,
    asked: AbFlags,
    folder: RunFolder,
    *,
    wait: str = DEFAULT_WAIT,
) -> DagsterJob:
    """Return the job that compares two arms; the rest is as of ``load_job``."""
    flags = {name: value for name, value in asdict(asked).items() if value is not None}
    fields = {**_fields(scenario, overrides, folder, wait), **flags}
    return DagsterJob("ab", {"ops": {"ab_comparison": {"config": fields}}})


def sharded_job(
    scenario: str,
    overrides: Overrides,
    folder: RunFolder,
    hosts: Sequence[str],
    *,
    is_elsewhere: bool,
    image: str | None = None,
    passed: Sequence[str] = (),
    wait: str = DEFAULT_WAIT,
    gate: str | None = None,
) -> DagsterJob:
    """Return the job that runs a scenario in shards; the rest is as of ``load_job``.

    Args:
        scenario: Name or file, checked.
        overrides: Flags, checked.
        folder: The folder that the run will make.
        hosts: A name for each shard.
        is_elsewhere: Each of them has a queue of that name; else all shards are played here.
        image: Of the container that each of them plays its shard in; None for no containers.
        passed: Variables of a host that the scenario passes; a container gets them by name.
        wait: How long a shard waits for another load run on its host.
        gate: Table of targets that must be met; None for none.
    """
    fields = {**_fields(scenario, overrides, folder, wait), "hosts": list(hosts)}
    del fields["wait"]
    ops = {
        "plan_shards": {"config": {**fields, **({"gate": gate} if gate else {})}},
        "generate_load_shard": {"config": {"wait": wait}},
    }
    if image is not None:
        containers = {"docker": {"image": image, "env_vars": list(passed)}}
        run = {"ops": ops, "execution": {"config": containers}}
        return DagsterJob("sharded_load_celery_docker", run)
    if is_elsewhere:
        return DagsterJob("sharded_load_celery", {"ops": ops})
    several = {"multiprocess": {"max_concurrent": len(hosts)}}
    here = several if len(hosts) > 1 else {"in_process": {}}
    return DagsterJob("sharded_load", {"ops": ops, "execution": {"config": here}})


def endurance_job(scenario: str, checked: CheckedRun, results: Path, *, wait: str) -> DagsterJob:
    """Return the job that plays the hours of an endurance scenario without a gap.

    Args:
        scenario: Name or file.
        checked: Its scenario, with what flags changed; its id is the campaign's.
        results: Folder of the campaigns.
        wait: How long it waits for another load run.
    """
    soak = checked.scenario.endurance
    fields = {
        "scenario": _named(scenario),
        "campaign_id": checked.run_id,
        "results_dir": str(results),
        "wait": wait,
        **({} if soak is None else {name: getattr(soak, name) for name in _OF_HOURS}),
    }
    return DagsterJob("endurance", {"ops": {"play_campaign": {"config": fields}}})


def _fields(scenario: str, overrides: Overrides, folder: RunFolder, wait: str) -> dict[str, Any]:
    flags = {name: value for name, value in asdict(overrides).items() if value is not None}
    return {
        "scenario": _named(scenario),
        "run_id": folder.run_id,
        "results_dir": str(folder.root.parent),
        "wait": wait,
        **flags,
        **(target_fields(overrides.target) if overrides.target else {}),
    }


def _named(scenario: str) -> str:
    """Return a scenario as another process, in another folder, finds it."""
    is_builtin = scenario in list_scenarios()
    return scenario if is_builtin else str(find_scenario(scenario).absolute())


class DagsterChild:
    """The execution of one job and its output.

    Attributes:
        code: Its exit code, negative for a signal; 0 before it ended.
        failure: What it noted of its failure; None if it noted none.
        gave_up: Why it gave up waiting for another load run; empty if it did not.
    """

    def __init__(
        self,
        job: DagsterJob,
        view: View,
        checked: CheckedRun,
        environ: Mapping[str, str],
    ) -> None:
        """Prepare; nothing is started.

        Args:
            job: What is executed.
            view: Shows what people should see.
            checked: What the child runs, so that it does not open or try anything again; the
                configuration of the job has the same for people.
            environ: Its environment, as ``dagster_environment`` makes it.
        """
        self._job = job
        self._view = view
        self._checked = checked
        self._environ = environ
        self._unread = b""
        self._read_bytes = 0
        self._log: list[str] = []
        self._lines = JobLog(checked)
        self.code = 0
        self.failure: FailureNote | None = None
        self.gave_up = ""

    def run(self, noted: Interruptions) -> None:
        """Run the job to its end, or until it was asked for and it was stopped."""
        with closing(self._waiting()) as waiting:
            self._lines.began(self._job.name, waiting.process.pid)
            try:
                waiting.execute(
                    self._job.name,
                    json.dumps(self._job.config, default=list).encode(),
                    self._checked.to_json(),
                    self._environ,
                )
                import_module(_FOR_THE_END)
                self._watch(waiting.process, waiting.log, noted)
            finally:
                _stop(waiting.process, noted)
                self.failure = read_note(waiting.failure_note())
                self.code = waiting.process.returncode
                self._lines.ended(self.code, self.failure)

    @property
    def log(self) -> str:
        """What Dagster printed."""
        return "\n".join(self._log)

    def _waiting(self) -> WaitingDagster:
        return waiting_dagster(is_measured=self._job.is_measured)

    def _watch(
        self, process: subprocess.Popen[bytes], log: IO[bytes], noted: Interruptions
    ) -> None:
        """Look on until the child has ended, and stop it in order if that is asked for."""
        orders, due_s = list(STOP_ORDERS), 0.0
        while process.poll() is None:
            self._show_new_lines(log)
            self._view.look()
            self._lines.look()
            if noted.at_once:
                self._lines.ordered("at once")
                process.kill()  # everything that it started is bound to it, and ends too
                process.wait()
                break
            if noted and time.monotonic() >= due_s:
                if len(orders) == len(STOP_ORDERS):
                    self._view.stopping()
                order = orders.pop(0) if orders else signal.SIGKILL
                self._lines.ordered(order.name)
                process.send_signal(order)
                due_s = time.monotonic() + STOP_GRACE_S
            time.sleep(POLL_S)
        self._show_new_lines(log)

    def _show_new_lines(self, log: IO[bytes]) -> None:
        # pread: the child writes through a copy of this descriptor, so its position is the child's.
        while new := os.pread(log.fileno(), 1 << 20, self._read_bytes):
            self._read_bytes += len(new)
            *lines, self._unread = (self._unread + new).split(b"\n")
            for line in lines:
                text = redacted(line.decode(errors="replace").rstrip())
                self._log.append(text)
                if text.startswith(NOTICE_PREFIX):
                    notice = text.removeprefix(NOTICE_PREFIX)
                    if notice.startswith(GAVE_UP):
                        self.gave_up = notice
                    else:
                        self._view.notify(notice)


def _stop(process: subprocess.Popen[bytes], noted: Interruptions) -> None:
    """Stop the child in order, when this process fails; at once at a second request."""
    for order in STOP_ORDERS:
        process.send_signal(order)  # does nothing once it has ended
        next_s = time.monotonic() + STOP_GRACE_S
        while time.monotonic() < next_s:
            if process.poll() is not None:
                return
            if noted.at_once:
                process.kill()
            time.sleep(POLL_S)
