"""The board of faults: what was in effect, what it cost, and whether the target recovered."""

from __future__ import annotations

from perf_pipeline.monitoring.boards import limits
from perf_pipeline.monitoring.boards.panel import (
    ENDED,
    FULL,
    OK,
    THIRD,
    Board,
    Panel,
    Query,
    falls_below,
    gauge,
    is_bad_from,
    of_run,
    quantile,
    rate,
    rises_above,
)

_COMPLETED = "loadtest_workflows_completed_total"
_FAULT = "a fault in the scenario"
_MEASURED = "a measured level with a fault"
_RECOVERED = "a fault of which the recovery was measured"
_RETRIES = "workflows that count their attempts"

FAULT_BOARD = Board(
    "fault_and_recovery",
    "Faults and recovery",
    "Each fault of a run: was it in effect, what did it cost, how long until the target was as "
    "before? A verdict of invalid means that nothing was proved.",
    (
        Panel(
            "Faults in effect",
            "From the injection until it is gone. Marked on all panels as well.",
            (Query(of_run("loadtest_fault_active"), "{{fault}} on {{service}}"),),
            kind="state-timeline",
            needs=_FAULT,
        ),
        Panel(
            "Evidence",
            "Share of the time since the injection in which signs of the server or the kernel show "
            "the fault. Below 95 % it is invalid: see why in the report.",
            (Query(of_run("loadtest_fault_evidence_ratio"), "{{fault}} on {{service}}"),),
            "percentunit",
            steps=falls_below(limits.MIN_EVIDENCE_RATIO, 0.5),
            needs=_FAULT,
        ),
        Panel(
            "Workflows that ended ok",
            "A dip that stays after the fault is gone is a metastable state: load keeps the target "
            "down. Lower the load or bound the retries.",
            (Query(rate(_COMPLETED, "level", OK), "{{level}}"),),
            "ops",
        ),
        Panel(
            "Workflows that did not",
            "By outcome; timeouts and drops come with a delay of their own limit.",
            (Query(rate(_COMPLETED, "outcome", 'outcome!="ok"'), "{{outcome}}"),),
            "ops",
            needs="a workflow that did not end ok",
        ),
        Panel(
            "Response time, 99th percentile",
            "What users see during and after it.",
            (Query(quantile(0.99, "loadtest_response_time_seconds"), "{{level}}"),),
            "s",
            steps=is_bad_from(limits.GOAL_P99_S),
        ),
        Panel(
            "Attempts and retries per workflow, live",
            "Above 1.5 attempts the retries are the load (retry storm): bound them, with a budget.",
            (
                Query(
                    f"{rate('loadtest_workflow_attempts_total', 'counted')} / ignoring (counted) "
                    f"group_left () {rate(_COMPLETED, '', ENDED)}",
                    "{{counted}}",
                ),
            ),
            steps=is_bad_from(limits.MAX_ATTEMPTS),
            needs=_RETRIES,
        ),
        Panel(
            "Time to recover",
            "From the end of the fault until the good throughput was as before, as in the report.",
            (Query(of_run("loadtest_recovery_seconds"), "{{fault}} on {{service}}"),),
            "s",
            "stat",
            rises_above(30, 60),
            THIRD,
            needs=_RECOVERED,
        ),
        Panel(
            "Service that was lost",
            "Seconds of a complete outage that would have harmed as many workflows.",
            (Query(of_run("loadtest_lost_service_seconds"), "{{fault}} on {{service}}"),),
            "s",
            "stat",
            width=THIRD,
            needs=_RECOVERED,
        ),
        Panel(
            "Not undone in time",
            "Faults whose time is over and that are not known to be gone. Above 0 for a minute: "
            "`perf-pipeline status` names what is left, `make clear` takes it back.",
            (Query(of_run("loadtest_fault_pending_rollbacks"), "pending"),),
            kind="stat",
            steps=is_bad_from(1),
            width=THIRD,
            needs=_FAULT,
        ),
        Panel(
            "Verdicts",
            "recovered, metastable, invalid (not in effect for 95 % of its window), not_possible.",
            (Query(of_run("loadtest_fault_verdict"), ""),),
            kind="table",
            needs=_MEASURED,
        ),
        Panel(
            "Attempts per workflow before, during and after",
            "As in the report; after it should be as before.",
            (Query(of_run("loadtest_retry_amplification_ratio"), ""),),
            kind="table",
            needs=_RETRIES,
        ),
        Panel(
            "Steps",
            "Injected, undone, gone; failed or not_possible with the reason in the report.",
            (Query(of_run("loadtest_fault_transitions_total"), "{{fault}} {{service}} {{step}}"),),
            needs=_FAULT,
        ),
        Panel(
            "Since the end",
            "Time since each fault was gone, with everything as before.",
            (
                Query(
                    f"time() - {of_run('loadtest_fault_ended_timestamp_seconds')}",
                    "{{fault}} on {{service}}",
                ),
            ),
            "s",
            "stat",
            needs=_FAULT,
        ),
        Panel(
            "Sessions on the servers",
            "A fault on a server shows here first: sessions wait, or are gone.",
            (Query(gauge("loadtest_server_sessions", "service, state"), "{{service}} {{state}}"),),
            width=FULL,
            needs="a server",
        ),
    ),
)
