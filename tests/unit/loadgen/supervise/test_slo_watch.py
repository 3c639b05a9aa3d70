"""A level ends early for an SLO when that is missed whatever is not known yet, and not else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.scenario.scenario import Scenario, Workload
from perf_pipeline.config.slo.slo import Slo
from perf_pipeline.loadgen.plan.plan import plan_levels
from perf_pipeline.loadgen.supervise.slo_watch import SloWatch
from perf_pipeline.samples.ended_because import EndedBecause
from perf_pipeline.samples.journal import JournalWriter
from perf_pipeline.samples.record import COLD, Outcome
from perf_pipeline.samples.slots import ENDED, NUMBER, START_NS, STARTED, SlotFile
from tests.simulated_level import GO_NS, SECOND, Row, at_s

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from perf_pipeline.loadgen.supervise.early_stop import EarlyEnd

SLOTS = 100
KINDS = (Workload("analytics", "simple"), Workload("transformation", "simple"))
SLOW = Slo("p90_s", 0.5, abort=True, grace_s=2)


class Level:
    """One worker's files, written to as the level goes on; the steady phase begins at 0 s."""

    def __init__(self, folder: Path, *slos: Slo) -> None:
        scenario = Scenario("s", concurrency=(SLOTS,), workloads=KINDS, slos=slos)
        plan = plan_levels(scenario, 1)[0]
        self.kinds = plan.kinds
        self._watch = SloWatch(plan, folder)
        self._journal = JournalWriter(folder / "worker-0.sqlite")
        self.slots = SlotFile.create(folder / "worker-0.slots", SLOTS, 0)
        self.look(0)

    def ended(self, rows: Sequence[Row], *, committed: bool = True) -> None:
        self.slots.words[SlotFile.base(0) + STARTED] += len(rows)
        self.slots.words[SlotFile.base(0) + ENDED] += len(rows)
        if committed:
            payload = b"".join(row.packed() for row in rows)
            self._journal.commit(payload, len(rows), rows[-1].end_ns)

    def starts(self, slot: int, number: int, start_s: float) -> None:
        base = SlotFile.base(slot)
        self.slots.words[base + STARTED] += 1
        self.slots.words[base + NUMBER] = number
        self.slots.words[base + START_NS] = GO_NS + int(start_s * SECOND)

    def look(self, at_s: float, phase: str = "steady") -> EarlyEnd | None:
        return self._watch.look(GO_NS + int(at_s * SECOND), phase, GO_NS, [self.slots])

    def close(self) -> None:
        self.slots.close()
        self._journal.close()


@pytest.fixture
def level_of(tmp_path: Path) -> Iterator[object]:
    made: list[Level] = []

    def make(*slos: Slo) -> Level:
        made.append(Level(tmp_path, *slos))
        return made[-1]

    yield make
    for level in made:
        level.close()


def _rows(count: int, takes_s: float, end_s: float, **more: int) -> list[Row]:
    return [at_s(number, end_s - takes_s, end_s, **more) for number in range(count)]


def test_too_many_slow_ones_end_the_level_after_the_grace_and_not_before(level_of: object) -> None:
    """20 of 100 workflows take 1 s, one in ten may take longer than 0.5 s."""
    level: Level = level_of(SLOW)  # type: ignore[operator]
    level.ended([*_rows(80, 0.1, 1.5), *_rows(20, 1.0, 1.5)])

    assert level.look(1.9) is None
    ended = level.look(2.1)
    assert ended == (
        EndedBecause.SLO_ABORTED,
        "p90_s <= 0.5: 20 of 100 workflows took longer than 0.5 s in the last 2 s",
    )


def test_nothing_ends_a_level_before_its_steady_phase(level_of: object) -> None:
    level: Level = level_of(SLOW)  # type: ignore[operator]
    level.ended(_rows(100, 1.0, 2.0))
    assert level.look(5, "warm_up") is None
    assert level.look(5, "steady") is not None


def test_what_is_not_known_yet_counts_for_the_target(level_of: object) -> None:
    """20 of 100 slow, and 150 more ended whose records are not committed: 8 % at worst."""
    level: Level = level_of(SLOW)  # type: ignore[operator]
    level.ended([*_rows(80, 0.1, 1.5), *_rows(20, 1.0, 1.5)])
    level.ended(_rows(150, 1.0, 2.0), committed=False)

    assert level.look(3) is None


def test_fewer_than_ten_slow_ones_end_nothing(level_of: object) -> None:
    level: Level = level_of(SLOW)  # type: ignore[operator]
    level.ended(_rows(9, 1.0, 2.0))
    assert level.look(3) is None
    level.ended(_rows(1, 1.0, 3.0))
    assert level.look(4) is not None


def test_cold_starts_and_what_was_cut_short_do_not_count(level_of: object) -> None:
    level: Level = level_of(SLOW)  # type: ignore[operator]
    level.ended(_rows(50, 1.0, 2.0, flags=COLD))
    level.ended(_rows(50, 1.0, 2.0, outcome=Outcome.ABANDONED))
    assert level.look(3) is None


def test_workflows_that_hang_end_a_level_in_which_nothing_ends(level_of: object) -> None:
    level: Level = level_of(SLOW)  # type: ignore[operator]
    for slot in range(12):
        level.starts(slot, slot, 2.0)

    assert level.look(2.4) is None
    ended = level.look(2.6)
    assert ended is not None
    assert "12 of 12 workflows took longer" in ended.detail


def test_a_window_forgets_what_was_slow_before_it(level_of: object) -> None:
    level: Level = level_of(Slo("p90_s", 0.5, window_s=3, abort=True, grace_s=0))  # type: ignore[operator]
    level.ended(_rows(50, 1.0, 1.0))  # passed the limit at 0.5 s

    assert level.look(2.9) is None  # no whole window yet
    assert level.look(3.4) is not None
    assert level.look(3.6) is None


@pytest.mark.parametrize(
    ("slo", "rows", "ends"),
    [
        (Slo("throughput_per_s", 30, at_most=False, abort=True, grace_s=4), (100, 0.1, 0), True),
        (Slo("throughput_per_s", 20, at_most=False, abort=True, grace_s=4), (100, 0.1, 0), False),
        (Slo("error_ratio", 0.1, abort=True, grace_s=4), (100, 0.1, 20), True),
        (Slo("error_ratio", 0.3, abort=True, grace_s=4), (100, 0.1, 20), False),
        (Slo("error_ratio", 0.1, abort=True, grace_s=4), (10, 0.1, 10), False),
        (Slo("avg_s", 0.2, abort=True, grace_s=4), (100, 0.3, 0), True),
        (Slo("avg_s", 0.4, abort=True, grace_s=4), (100, 0.3, 0), False),
        (Slo("max_s", 0.2, abort=True, grace_s=4), (1, 0.3, 0), True),
        (Slo("p90_s", 0.2, family="analytics", abort=True, grace_s=4), (100, 0.3, 0), True),
        (Slo("p90_s", 0.2, family="transformation", abort=True, grace_s=4), (100, 0.3, 0), False),
        (Slo("p90_s", 0.2, level="7", abort=True, grace_s=4), (100, 0.3, 0), False),
        (Slo("p90_s", 0.2), (100, 0.3, 0), False),
    ],
)
def test_each_metric_ends_the_level_when_its_limit_is_passed(
    level_of: object,
    slo: Slo,
    rows: tuple[int, float, int],
    ends: bool,  # noqa: FBT001
) -> None:
    """In 4 s so many analytics workflows of such a time, so many of them failed."""
    level: Level = level_of(slo)  # type: ignore[operator]
    count, takes_s, failed = rows
    good = _rows(count, takes_s, 3.0)
    level.ended([row._replace(outcome=int(i < failed)) for i, row in enumerate(good)])

    assert (level.look(4.0) is not None) is ends
