"""What is left of a level is read back, and what is not left is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perf_pipeline.errors import RunFolderError
from perf_pipeline.metrics.records.worker_ends import error_examples
from perf_pipeline.samples.level_records import SCHEMA, read_level
from perf_pipeline.samples.record import COLD, ErrorClass, Outcome, cold_number
from tests.simulated_level import GO_NS, SECOND, SimulatedWorker, at_s, write_level

if TYPE_CHECKING:
    from pathlib import Path


def test_all_records_of_all_workers_are_read_with_their_level_and_worker(tmp_path: Path) -> None:
    rows = [
        [at_s(10 * w + i, i, i + 1, slot=i, kind=i % 2, error_class=w, flags=w) for i in range(3)]
        for w in range(12)
    ]
    write_level(tmp_path, [SimulatedWorker(r) for r in rows], slots=3)

    records = read_level(tmp_path, kinds=2)

    assert records.frame.schema == SCHEMA
    assert [worker.worker for worker in records.workers] == list(range(12))
    expected = [(0, w, row.number, row.start_ns, *row[1:]) for w in range(12) for row in rows[w]]
    assert records.frame.rows() == expected
    assert not records.recovered
    assert records.may_be_missing == 0


def test_a_workflow_in_flight_when_its_worker_died_is_a_target_crash(tmp_path: Path) -> None:
    """Slot 1 had one in flight at the kill; it ends with the last thing known of the worker."""
    dead = SimulatedWorker(
        blocks=[(GO_NS + 4 * SECOND, [at_s(0, 1, 2, slot=0), at_s(2, 1, 3, slot=1)])],
        in_flight=[(1, 4, GO_NS + 3 * SECOND)],
        reason="killed by SIGKILL",
        closed=False,
    )
    write_level(tmp_path, [dead], slots=2, ended_because="worker lost", kinds=[0, 1, 0, 0, 1])

    records = read_level(tmp_path, kinds=2)

    made = records.frame.filter(number=4).row(0, named=True)
    assert made["outcome"] == Outcome.ERROR
    assert made["error_class"] == ErrorClass.TARGET_CRASH
    assert (made["slot"], made["kind"]) == (1, 1)
    assert (made["start_ns"], made["end_ns"]) == (GO_NS + 3 * SECOND, GO_NS + 4 * SECOND)
    assert len(records.frame) == 3
    assert records.recovered
    assert records.may_be_missing == 0


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        ("hung: still running 5 s after the stop", Outcome.ABANDONED),
        ("killed by us: interrupted again while workflows were ending", Outcome.ABANDONED),
        ("killed by SIGSEGV", Outcome.ERROR),
        ("exit code 3: boom", Outcome.ERROR),
    ],
)
def test_a_worker_that_our_own_stop_ended_is_no_target_crash(
    tmp_path: Path, reason: str, outcome: Outcome
) -> None:
    """Its workflow did not come back within the drain: it neither succeeded nor failed."""
    cut = SimulatedWorker(
        [at_s(0, 1, 2)], in_flight=[(0, 1, GO_NS + 2 * SECOND)], closed=False, reason=reason
    )
    write_level(tmp_path, [cut], slots=1)

    records = read_level(tmp_path, kinds=1)

    made = records.frame.filter(number=1).row(0, named=True)
    is_crash = outcome == Outcome.ERROR
    assert made["outcome"] == outcome
    assert made["error_class"] == (ErrorClass.TARGET_CRASH if is_crash else ErrorClass.NONE)
    assert ("target_crash" in error_examples(records)) == is_crash


def test_an_end_is_never_before_its_start(tmp_path: Path) -> None:
    """The workflow started after the worker's last commit."""
    dead = SimulatedWorker(
        [at_s(0, 1, 2)], in_flight=[(0, 1, GO_NS + 9 * SECOND)], closed=False, reason="exit code 1"
    )
    write_level(tmp_path, [dead], slots=1, ended_because="worker lost")

    made = read_level(tmp_path, kinds=1).frame.filter(number=1).row(0, named=True)

    assert made["end_ns"] == made["start_ns"] == GO_NS + 9 * SECOND


def test_started_is_recorded_plus_made_plus_missing(tmp_path: Path) -> None:
    """Slot 0 lost 7 records besides the one in flight, slot 1 lost 3 and had none in flight."""
    dead = SimulatedWorker(
        [at_s(n, n, n + 1, slot=n % 2) for n in range(10)],
        in_flight=[(0, 99, GO_NS + 20 * SECOND)],
        lost={0: 7, 1: 3},
        reason="killed by SIGKILL",
        closed=False,
    )
    write_level(tmp_path, [dead], slots=2, ended_because="worker lost")

    records = read_level(tmp_path, kinds=1)

    assert len(records.frame) == 10 + 1
    assert records.may_be_missing == 10
    assert records.frame["number"].n_unique() == 11


@pytest.mark.parametrize("supervisor_killed", [True, False])
def test_what_our_own_stop_cut_short_is_abandoned(
    tmp_path: Path, *, supervisor_killed: bool
) -> None:
    """Neither a killed supervisor nor an interrupted run says anything about the target."""
    cut = SimulatedWorker(
        [at_s(0, 1, 2)], in_flight=[(0, 1, GO_NS + 2 * SECOND)], closed=False, reason="hung"
    )
    write_level(
        tmp_path,
        [cut],
        slots=1,
        ended_because="interrupted",
        supervisor_killed=supervisor_killed,
    )

    made = read_level(tmp_path, kinds=1).frame.filter(number=1).row(0, named=True)

    assert made["outcome"] == Outcome.ABANDONED
    assert made["error_class"] == ErrorClass.NONE


def test_a_workflow_that_slipped_in_after_a_workers_last_record_is_abandoned(
    tmp_path: Path,
) -> None:
    """A thread may pass the stop, wait for the interpreter lock, and start during the close."""
    worker = SimulatedWorker([at_s(0, 1, 2)], in_flight=[(0, 1, GO_NS + 2 * SECOND)], closed=True)
    write_level(tmp_path, [worker], slots=1)

    records = read_level(tmp_path, kinds=1)

    assert records.frame["outcome"].to_list() == [Outcome.OK, Outcome.ABANDONED]
    assert records.frame["error_class"].to_list() == [ErrorClass.NONE] * 2


def test_a_cold_start_that_killed_its_worker_stays_apart_from_the_rest(tmp_path: Path) -> None:
    number = cold_number(kind=2, worker=0, kinds=3)
    dead = SimulatedWorker(in_flight=[(0, number, GO_NS)], closed=False, reason="killed by SIGSEGV")
    write_level(tmp_path, [dead], slots=1, ended_because="start failed", steady_s=None)

    made = read_level(tmp_path, kinds=3).frame.row(0, named=True)

    assert made["kind"] == 2
    assert made["flags"] & COLD
    assert made["error_class"] == ErrorClass.TARGET_CRASH


def test_records_of_a_damaged_block_are_missing_not_forgotten(tmp_path: Path) -> None:
    blocks = [(GO_NS + i, [at_s(10 * i + j, i, i + 1) for j in range(3)]) for i in range(3)]
    write_level(tmp_path, [SimulatedWorker(blocks=blocks)], slots=1)
    path = tmp_path / "worker-0.sqlite"
    raw = path.read_bytes()
    at = raw.index(b"".join(row.packed() for row in blocks[1][1]))
    path.write_bytes(raw[:at] + b"\xff" + raw[at + 1 :])

    records = read_level(tmp_path, kinds=1)

    assert records.workers[0].journal.damaged_blocks == 1
    assert len(records.frame) == 6
    assert records.may_be_missing == 3
    assert records.recovered


def test_a_worker_that_was_never_started_has_nothing(tmp_path: Path) -> None:
    """Its supervisor was killed before, or while, it made the worker's files."""
    write_level(tmp_path, [SimulatedWorker()], slots=4, supervisor_killed=True)
    (tmp_path / "worker-0.sqlite").unlink()
    (tmp_path / "worker-1.slots").touch()

    records = read_level(tmp_path, kinds=1)

    assert len(records.frame) == 0
    assert records.frame.schema == SCHEMA
    assert records.may_be_missing == 0


def test_what_cannot_be_read_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"level\.json is missing"):
        read_level(tmp_path, kinds=1)
    write_level(tmp_path, [SimulatedWorker()], slots=1)
    (tmp_path / "worker-0.sqlite").write_bytes(b"scribbled over " * 100)
    with pytest.raises(RunFolderError, match=r"worker-0\.sqlite is not a journal"):
        read_level(tmp_path, kinds=1)
