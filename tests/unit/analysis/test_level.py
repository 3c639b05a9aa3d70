"""A level's folder in numbers: nothing mixed, nothing lost, also when somebody was killed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.analysis.kpi import kpi_grades
from perf_pipeline.analysis.level import measure_level
from perf_pipeline.config.slo.slo import parse_slo
from perf_pipeline.metrics.level_context import LevelContext
from perf_pipeline.report.level.failures import failures
from perf_pipeline.samples.journal import JournalWriter
from perf_pipeline.samples.record import COLD, ErrorClass, Outcome, cold_number
from perf_pipeline.samples.run_folder import write_json
from perf_pipeline.samples.slots import SlotFile
from tests.simulated_level import (
    GO_NS,
    SECOND,
    Row,
    SimulatedWorker,
    at_s,
    closed_loop,
    write_level,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from perf_pipeline.metrics.types.level import LevelMetrics

KINDS = [("transformation", "simple"), ("analytics", "complex")]


def _summary(folder: Path) -> LevelMetrics:
    return measure_level(folder, LevelContext(KINDS, ["postgres"], {"postgres": "a pool"}))


def _level(folder: Path, rows: Sequence[Row], slots: int = 10, **more: Any) -> LevelMetrics:
    return _summary(write_level(folder, [SimulatedWorker(rows)], slots=slots, **more))


def _started(folder: Path) -> int:
    started = 0
    for path in folder.glob("*.slots"):
        stamps = SlotFile(path, writable=False)
        started += stamps.totals().started
        stamps.close()
    return started


def test_a_target_of_which_every_workflow_failed_is_target_failed_and_limited_by_nothing(
    tmp_path: Path,
) -> None:
    """Fast failures, 10 in flight, 100/s: steady, enough samples, and no measurement of work."""
    failed = {"outcome": int(Outcome.ERROR), "error_class": int(ErrorClass.CONNECTION)}
    rows = [row._replace(**failed) for row in closed_loop(10, lambda _slot: 0.1, until_s=10)]

    level = _level(tmp_path, rows)

    assert level.validity == "target_failed"
    assert level.reasons[0] == (
        f"none of the {len(rows)} workflows of the load succeeded; most frequent class of errors: "
        f"connection, {len(rows)} of {len(rows)} in the whole level"
    )
    assert level.bottleneck is None
    assert level.throughput_per_s == 0


def test_a_scenario_may_tolerate_that_most_workflows_fail(tmp_path: Path) -> None:
    """Six of ten fail: more than the default tolerates, and less than 0.7."""
    failed = {"outcome": int(Outcome.ERROR), "error_class": int(ErrorClass.OTHER)}
    rows = [
        row._replace(**failed) if row.number % 10 < 6 else row
        for row in closed_loop(10, lambda _slot: 0.1, until_s=10)
    ]
    folder = write_level(tmp_path, [SimulatedWorker(rows)], slots=10)
    context = LevelContext(KINDS, [], 50, {})

    assert measure_level(folder, context).validity == "target_failed"
    assert measure_level(folder, replace(context, max_error_ratio=0.7)).validity == "valid"
    loose = [parse_slo("error_ratio < 0.7")]
    assert measure_level(folder, replace(context, slos=loose)).validity == "valid"


def test_a_target_that_failed_meets_no_objective_and_has_no_grade_above_poor(
    tmp_path: Path,
) -> None:
    """Failing takes 0.1 s: far below the limit of P99, and above that of the median."""
    failed = {"outcome": int(Outcome.ERROR), "error_class": int(ErrorClass.CONNECTION)}
    rows = [row._replace(**failed) for row in closed_loop(10, lambda _slot: 0.1, until_s=10)]
    slos = [parse_slo(t) for t in ("error_ratio < 5%", "throughput > 50/s", "p99 < 5s")]
    slos += [parse_slo("p50 < 50ms"), parse_slo("error_ratio <= 1")]
    folder = write_level(tmp_path, [SimulatedWorker(rows)], slots=10)

    level = measure_level(folder, LevelContext(KINDS, [], 50, {}, slos=slos))

    assert [one.verdict for one in level.slos] == [
        *("missed", "missed", "no_data", "missed", "no_data")
    ]
    assert "the level is target_failed: none of the" in level.slos[2].why
    grades = {one.what: one.grade for one in kpi_grades([replace(level, target="kailash")])}
    assert grades == {
        "throughput": "poor",
        "average latency": "no_data",
        "P99 latency": "no_data",
        "success rate": "poor",
        "memory": "no_data",
    }


def test_an_objective_has_its_own_percentile_and_says_how_many_workflows_that_takes(
    tmp_path: Path,
) -> None:
    """8000 workflows of 10 ms but for every 50th, of 90 ms: p97.5 is below, p98.5 above."""
    rows = closed_loop(10, lambda _slot: 0.01, until_s=10)
    slow = {"end_ns": 80_000_000}
    rows = [
        row._replace(end_ns=row.end_ns + slow["end_ns"]) if row.number % 50 == 0 else row
        for row in rows
    ]
    folder = write_level(tmp_path, [SimulatedWorker(rows)], slots=10)
    texts = ("p97.5 < 50ms", "p98.5 < 50ms", "p99.99 < 50ms", "p99.99 < 1s")
    context = LevelContext(KINDS, [], 50, {}, slos=[parse_slo(text) for text in texts])

    level = measure_level(folder, context)

    found = {one.name: one.value_s for one in level.service_times.percentiles}
    assert list(found) == ["p50", "p90", "p95", "p97.5", "p98.5", "p99", "p99.9", "p99.99"]
    assert found["p97.5"] == pytest.approx(0.01, rel=0.01)
    assert found["p98.5"] == pytest.approx(0.09, rel=0.01)
    names = [one.name for one in level.families[0].service_times.percentiles]
    assert names == list(found)
    assert level.slos[0].verdict == "met"
    assert level.slos[1].verdict in ("missed", "no_data")
    assert level.slos[3].verdict == "no_data"
    p99_99 = level.service_times.percentile(0.9999)
    assert p99_99 is not None
    assert p99_99.samples_needed == 100_000


def test_the_steady_phase_alone_is_measured(tmp_path: Path) -> None:
    """10 slots, 0.1 s each in the steady phase (2 to 10 s), 1 s before it: 100/s and 100 ms."""
    rows: list[Row] = []
    for slot in range(10):
        t = 0.0
        while t < 10:
            service_s = 1.0 if t < 2 else 0.1
            rows.append(at_s(len(rows), t, t + service_s, slot=slot))
            t = round(t + service_s, 6)

    level = _level(tmp_path, rows)

    assert level.validity == "valid"
    assert level.throughput_per_s == pytest.approx(100, rel=0.02)
    assert level.service_times.avg_s == pytest.approx(0.1, rel=0.02)
    assert level.in_flight.median == level.in_flight.minimum == 10
    assert level.turnovers == pytest.approx(80, rel=0.02)
    assert sum(level.outcomes.values()) == len(rows) > level.service_times.samples
    assert level.phases["steady"] == (2.0, 10.0)
    assert level.fairness is not None
    assert level.fairness.starved == 0


def test_cold_starts_are_apart_from_everything_but_the_count(tmp_path: Path) -> None:
    """Two cold starts inside the steady phase, 5 s each, one failing: no trace in its numbers."""
    rows = closed_loop(10, lambda _slot: 0.1, until_s=10)
    cold = [
        at_s(cold_number(0, 0, 2), 3, 8, flags=COLD),
        at_s(
            cold_number(1, 0, 2),
            3,
            9,
            kind=1,
            flags=COLD,
            outcome=Outcome.ERROR,
            error_class=ErrorClass.CONNECTION,
        ),
    ]

    level = _level(tmp_path, cold + rows)
    without = _level(tmp_path / "without", rows)

    assert level.service_times == without.service_times
    assert level.steady_outcomes == without.steady_outcomes
    assert level.seconds == without.seconds
    assert level.in_flight == without.in_flight
    assert level.error_ratio == 0
    assert [(c.worker, c.family, c.service_time_s, c.outcome) for c in level.cold_starts] == [
        (0, "transformation", 5.0, "ok"),
        (0, "analytics", 6.0, "error"),
    ]
    assert sum(level.outcomes.values()) == len(rows) + 2
    assert level.error_classes == {"connection": 1}


def test_outcomes_and_error_classes_are_counted_apart(tmp_path: Path) -> None:
    """In the steady phase 80 ok, 10 errors of two classes, 5 timeouts; 5 abandoned after it."""
    rows = [at_s(n, 3 + n / 100, 4, slot=n % 10) for n in range(80)]
    rows += [at_s(100 + n, 4, 5, outcome=Outcome.ERROR, error_class=2 + n % 2) for n in range(10)]
    rows += [at_s(200 + n, 4, 5, outcome=Outcome.TIMEOUT) for n in range(5)]
    rows += [at_s(300 + n, 9, 12, outcome=Outcome.ABANDONED) for n in range(5)]

    level = _level(tmp_path, rows)

    counts = {"ok": 80, "error": 10, "timeout": 5, "dropped": 0, "abandoned": 5}
    assert level.outcomes == counts
    assert level.steady_outcomes == counts | {"abandoned": 0}
    assert level.steady_error_classes == {"connection": 5, "resource_exhaustion": 5}
    assert level.error_ratio == pytest.approx(15 / 95)
    assert level.throughput_per_s == pytest.approx(80 / 8)
    assert level.service_times.in_flight_at_end == 5


def test_families_share_the_level_and_their_counts_add_up(tmp_path: Path) -> None:
    rows = closed_loop(10, lambda slot: 0.1 if slot < 5 else 0.4, until_s=10)
    rows = [row._replace(kind=int(row.slot >= 5)) for row in rows]

    level = _level(tmp_path, rows)

    fast, slow = level.families
    assert (fast.family, slow.family) == ("transformation", "analytics")
    assert fast.service_times.samples + slow.service_times.samples == level.service_times.samples
    assert level.throughput_per_s == pytest.approx(fast.throughput_per_s + slow.throughput_per_s)
    assert fast.service_times.avg_s == pytest.approx(0.1, rel=0.02)
    assert slow.service_times.avg_s == pytest.approx(0.4, rel=0.05)


def test_a_killed_worker_makes_the_level_incomplete_and_its_workflows_crashes(
    tmp_path: Path,
) -> None:
    """Worker 1 dies at 6 s with its 10 in flight and 37 records not yet committed."""
    rows = closed_loop(10, lambda _slot: 0.1, until_s=10)
    alive = [row._replace(number=2 * row.number) for row in rows]
    dead = [row._replace(number=2 * row.number + 1) for row in rows]
    dead = [row for row in dead if row.end_ns <= GO_NS + 6 * SECOND]
    workers = [
        SimulatedWorker(alive),
        SimulatedWorker(
            dead,
            in_flight=[(slot, 100_001 + 2 * slot, GO_NS + 6 * SECOND) for slot in range(10)],
            lost={3: 37},
            reason="killed by SIGKILL",
            closed=False,
        ),
    ]
    write_level(tmp_path, workers, slots=10, ended_because="worker lost", steady_s=(2, 7))

    level = _summary(tmp_path)

    assert level.validity == "incomplete"
    assert level.reasons[0] == (
        "the level did not run to its end: worker lost: worker 1: killed by SIGKILL while "
        "10 workflows were in flight (the latest number 100019)"
    )
    assert level.bottleneck is not None
    assert (level.bottleneck.verdict, level.bottleneck.evidence) == ("unclear", ())
    assert "a worker process is lost: worker 1" in level.bottleneck.why
    assert any("37 started workflows have no record" in reason for reason in level.reasons)
    assert level.error_classes == {"target_crash": 10}
    assert level.outcomes["error"] == 10
    assert [worker.may_be_missing for worker in level.workers] == [0, 37]
    assert sum(level.outcomes.values()) == _started(tmp_path) - 37


def test_a_level_whose_supervisor_was_killed_is_measured_as_far_as_it_got(tmp_path: Path) -> None:
    """Its steady phase has no end: it ends with the last thing that is known."""
    rows = closed_loop(10, lambda _slot: 0.1, until_s=6)
    latest = {row.slot: row for row in rows}
    cut = [(slot, row.number + 1000, row.end_ns) for slot, row in latest.items()]
    worker = SimulatedWorker(rows, in_flight=cut, closed=False)
    write_level(tmp_path, [worker], slots=10, supervisor_killed=True)

    level = _summary(tmp_path)

    assert level.validity == "incomplete"
    assert level.workers[0].reason == "its supervisor was killed"
    assert level.phases["steady"][1] == pytest.approx(6, abs=0.2)
    assert level.throughput_per_s == pytest.approx(100, rel=0.05)
    assert level.outcomes["abandoned"] == len(cut)
    assert sum(level.outcomes.values()) == _started(tmp_path)


def test_the_last_uncommitted_half_second_does_not_look_like_a_standstill(tmp_path: Path) -> None:
    """100/s by two workers, both killed at 4 s; one lost everything after its commit at 3.6 s.

    Up to 4 s there are 180 records in the steady phase: 90/s, and 5 in flight at the end.
    """
    rows = closed_loop(5, lambda _slot: 0.1, until_s=4)
    known = [row for row in rows if row.end_ns <= GO_NS + 3.6 * SECOND]
    workers = [
        SimulatedWorker([r._replace(number=2 * r.number) for r in rows], closed=False),
        SimulatedWorker(
            blocks=[
                (GO_NS + round(3.6 * SECOND), [r._replace(number=2 * r.number + 1) for r in known])
            ],
            in_flight=[(slot, 10_001 + 2 * slot, GO_NS + 4 * SECOND) for slot in range(5)],
            lost=dict.fromkeys(range(5), 4),
            closed=False,
        ),
    ]
    write_level(tmp_path, workers, slots=5, supervisor_killed=True)

    level = _summary(tmp_path)

    assert level.phases["steady"] == pytest.approx((2.0, 3.6))
    assert level.throughput_per_s == pytest.approx(100, rel=0.05)
    assert level.in_flight.median == 10
    assert level.workers[1].may_be_missing == 20


def test_a_level_that_never_started_has_no_numbers_and_no_zeros(tmp_path: Path) -> None:
    failed = SimulatedWorker(reason="exit code 1: ModuleNotFoundError: no target", closed=False)
    write_level(tmp_path, [failed], slots=10, ended_because="start failed", steady_s=None)
    log = json.loads((tmp_path / "level.json").read_text())
    log.update(go_ns=None, phases_ns={})
    write_json(tmp_path / "level.json", log)

    level = _summary(tmp_path)

    assert level.validity == "incomplete"
    assert level.reasons[0] == (
        "the level did not run to its end: start failed: worker 0: exit code 1: "
        "ModuleNotFoundError: no target"
    )
    assert (level.throughput_per_s, level.error_ratio, level.turnovers) == (None, None, None)
    assert (level.in_flight.median, level.fairness) == (None, None)
    assert level.workers[0].commit_gap_max_s is None
    assert (level.seconds, level.phases) == ((), {})
    assert json.loads(json.dumps(level.to_dict(), allow_nan=False))["label"] == "10"


def test_without_a_steady_phase_there_is_no_gap_between_commits_in_it(tmp_path: Path) -> None:
    level = _level(tmp_path, [at_s(0, 0.1, 0.2)], steady_s=None, ended_because="interrupted")

    assert level.workers[0].commit_gap_max_s is None


@pytest.mark.parametrize(
    ("commits_s", "gap_s"),
    [
        ([1.8, 2.3, 2.8, 4.0, 4.4, 6.5, 8.9, 9.7], 2.4),
        ([1.9, 6.0, 9.9], 4.0),
        ([1.9, 12.0], 8.0),
    ],
)
def test_the_longest_gap_between_commits_counts_both_edges_of_the_phase(
    tmp_path: Path, commits_s: list[float], gap_s: float
) -> None:
    """Steady from 2 to 10 s; without any commit in it, all of it is the gap."""
    blocks = [(GO_NS + round(t * SECOND), [at_s(n, 1, 1.5)]) for n, t in enumerate(commits_s)]
    write_level(tmp_path, [SimulatedWorker(blocks=blocks)], slots=1)

    assert _summary(tmp_path).workers[0].commit_gap_max_s == pytest.approx(gap_s)


def test_a_number_that_two_records_have_makes_the_level_incomplete(tmp_path: Path) -> None:
    rows = closed_loop(10, lambda _slot: 0.1, until_s=10)

    level = _level(tmp_path, [*rows, rows[5]])

    assert level.validity == "incomplete"
    assert level.reasons == ("1 workflow numbers were recorded twice",)


def test_a_write_that_is_missing_makes_the_level_incomplete(tmp_path: Path) -> None:
    rows = closed_loop(10, lambda _slot: 0.1, until_s=10)
    write = {
        "server": "postgres",
        "expected": 1000,
        "found": 999,
        "missing": 1,
        "extra": 0,
        "problem": None,
    }
    tmp_path.mkdir(exist_ok=True)
    write_json(tmp_path / "writes.json", [write])

    level = _level(tmp_path, rows)

    assert level.validity == "incomplete"
    assert level.reasons == ("1 of 1000 ok workflows have no write on postgres",)
    assert level.writes[0].missing == 1


def test_what_threads_waited_for_is_shared_out_over_the_steady_phase(tmp_path: Path) -> None:
    rows = closed_loop(10, lambda _slot: 0.1, until_s=10)
    write_level(tmp_path, [SimulatedWorker()], slots=10)
    (tmp_path / "worker-0.sqlite").unlink()
    journal = JournalWriter(tmp_path / "worker-0.sqlite")
    journal.commit(b"".join(row.packed() for row in rows), len(rows), GO_NS + 10 * SECOND)
    journal.waits(GO_NS + 1 * SECOND, {"redis": 100})
    journal.waits(GO_NS + 3 * SECOND, {"pool": 60, "runtime": 20})
    journal.waits(GO_NS + 9 * SECOND, {"pool": 10, "runtime": 10})
    for text in ("one", "two", "one"):
        journal.error_example(int(ErrorClass.CONNECTION), text)
    journal.close()

    level = _summary(tmp_path)

    assert level.in_flight.waits == {"pool": 0.7, "runtime": 0.3}
    assert level.in_flight.wait_samples == 100
    assert level.error_examples == {"connection": ("one", "two")}


def test_resources_are_those_of_the_steady_phase_and_connections_those_of_the_level(
    tmp_path: Path,
) -> None:
    rows = closed_loop(10, lambda _slot: 0.1, until_s=10)
    process = {"pid": 5, "cpu_s": 0.0, "read_bytes": 0, "write_bytes": 0}
    lines = []
    for second, (megabytes, connections) in enumerate([(900, 45), (10, 20), (20, 30), (15, 20)]):
        usage = process | {"pss_bytes": megabytes * 1_000_000, "cpu_s": second * 0.5}
        lines.append(
            {
                "at_ns": GO_NS + (1 + second) * SECOND,
                "workers": [usage],
                "harness": [],
                "servers": [],
                "connections": {"postgres": {"total": connections, "active": 1}},
                "problems": {},
            }
        )
    (tmp_path / "resources.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    level = _level(tmp_path, rows)

    assert level.resources.workers_pss_peak_mb == 20
    assert level.resources.workers_cpu_mean_percent == pytest.approx(50)
    assert level.resources.samples == 3
    (use,) = level.connections
    assert (use.server, use.limit, use.peak, use.pool) == ("postgres", 50, 45, "a pool")


def test_a_level_in_which_half_of_the_slots_stand_still_is_no_measurement(tmp_path: Path) -> None:
    """One of two slots is never answered; the other one takes 0.1 s. No failure is recorded."""
    hung = at_s(1, 0, 20, slot=1, outcome=int(Outcome.ABANDONED))
    rows = [
        row._replace(number=row.number * 2) for row in closed_loop(1, lambda _slot: 0.1, until_s=10)
    ]

    level = _level(tmp_path, [*rows, hung], slots=2)

    assert level.validity == "not_steady"
    assert level.reasons[0] == (
        "1 of 2 slots hang (workflow 1): unanswered for 20 s, the longest that was answered took "
        "0.1 s"
    )
    assert level.bottleneck is not None
    assert level.bottleneck.verdict == "unclear"
    assert failures(level).endswith(level.reasons[0])


@pytest.mark.parametrize(("until_s", "validity"), [(41.0, "target_failed"), (20.0, "not_steady")])
def test_a_target_that_stops_answering_has_failed_once_that_is_beyond_doubt(
    tmp_path: Path, until_s: float, validity: str
) -> None:
    """Both slots end workflows of 0.1 s for a second, then one each that never ends."""
    rows = [row for row in closed_loop(2, lambda _slot: 0.1, until_s=1.0) if row.end_ns]
    hung = [
        at_s(1000 + slot, 1.1, until_s, slot=slot, outcome=int(Outcome.ABANDONED))
        for slot in range(2)
    ]

    level = _level(tmp_path, [*rows, *hung], slots=2, steady_s=(5.0, until_s))

    assert level.validity == validity
    assert "2 of 2 slots hang (workflow 1000, 1001)" in level.reasons[0]
    assert "no answer for" in level.reasons[0]
    assert level.bottleneck is None or level.bottleneck.verdict == "unclear"


def test_long_workflows_of_which_one_was_answered_do_not_hang(tmp_path: Path) -> None:
    """4 s each: the last ones are in flight for 4 s at most when the load ends."""
    rows = closed_loop(4, lambda _slot: 4.0, until_s=30)

    assert _level(tmp_path, rows, slots=4, steady_s=(5.0, 30.0)).hanging is None


def test_nothing_is_named_that_limits_a_level_of_which_no_workflow_succeeded_when_measured(
    tmp_path: Path,
) -> None:
    """All that is answered is answered during the warm-up."""
    rows = [at_s(number, number / 10, (number + 1) / 10) for number in range(10)]

    level = _level(tmp_path, rows, slots=1)

    assert level.bottleneck is not None
    assert level.bottleneck.why.startswith("No workflow succeeded in the steady phase")
