"""When a target has failed: nothing worked, or more failed than is tolerated."""

from __future__ import annotations

import pytest

from perf_pipeline.config.slo.slo import parse_slo
from perf_pipeline.metrics.target_failure import Ended, target_failure, tolerated_error_ratio

REFUSED = {"connection": ("ConnectionRefusedError: [Errno 111] Connection refused",)}


def test_a_load_of_which_nothing_succeeded_is_failed_however_small_it_was() -> None:
    """A share of one workflow is not judged; that nothing worked is known from one."""
    found = target_failure(Ended(load={"ok": 0, "timeout": 1}, cold={"ok": 2}), 0.5)

    assert found is not None
    assert found.nothing_worked
    assert found.reason == ("none of the 1 workflows of the load succeeded; most are timeouts: 1")


def test_the_reason_has_the_most_frequent_class_with_its_text() -> None:
    ended = Ended(
        load={"error": 813, "timeout": 40},
        error_classes={"other": 13, "connection": 800},
        error_examples=REFUSED,
    )
    found = target_failure(ended, 0.5)

    assert found is not None
    assert "most frequent class of errors: connection, 800 of 813" in found.reason
    assert found.reason.endswith("Connection refused")


def test_arrivals_that_were_all_dropped_failed_and_most_of_them_did_not() -> None:
    """A load above the capacity drops what is too much; the target works."""
    stuck = target_failure(Ended(load={"ok": 0, "dropped": 300, "abandoned": 4}), 0.5)
    too_much = target_failure(Ended(load={"ok": 100, "dropped": 300}, steady={"ok": 90}), 0.5)

    assert stuck is not None
    assert "dropped, because no slot was free: 300" in stuck.reason
    assert too_much is None


def test_a_target_that_answers_nothing_at_all_failed_and_a_slow_one_did_not() -> None:
    """The slow one has answered its cold starts: the level was too short for it."""
    hanging = target_failure(Ended(load={"abandoned": 4}, cold={"abandoned": 2}), 0.5)

    assert hanging is not None
    assert "still in flight at its end: 4" in hanging.reason
    assert target_failure(Ended(load={"abandoned": 4}, cold={"ok": 2}), 0.5) is None
    assert target_failure(Ended(load={}), 0.5) is None


def test_a_target_that_ends_its_process_at_once_failed_with_the_end_of_the_process() -> None:
    ended = Ended(
        load={},
        cold={"error": 1},
        error_classes={"target_crash": 1},
        error_examples={"target_crash": ("killed by SIGSEGV",)},
    )
    found = target_failure(ended, 0.5)

    assert found is not None
    assert found.reason == (
        "no cold start succeeded, and the load never began; most frequent class of errors: "
        "target_crash, 1 of 1 in the whole level: killed by SIGSEGV"
    )


@pytest.mark.parametrize(
    ("ok", "error", "tolerated", "fails"),
    [
        (50, 50, 0.5, False),
        (49, 51, 0.5, True),
        (90, 10, 0.05, True),
        (1, 99, 1.0, False),
        (9, 10, 0.5, False),  # 19 ended: a share of fewer than 20 is not judged
    ],
)
def test_a_greater_share_than_tolerated_fails(
    ok: int,
    error: int,
    tolerated: float,
    fails: bool,  # noqa: FBT001
) -> None:
    counts = {"ok": ok, "error": error}
    found = target_failure(Ended(load=counts, steady=counts), tolerated)

    assert (found is not None) is fails
    if found:
        assert not found.nothing_worked
        assert f"{error} of {ok + error} workflows" in found.reason
        assert f"tolerated: {100 * tolerated:.3g} %" in found.reason


def test_the_steady_phase_decides_and_the_whole_load_where_hardly_anything_ended_in_it() -> None:
    bad_start = {"ok": 100, "error": 400}

    assert target_failure(Ended(load=bad_start, steady={"ok": 80, "error": 1}), 0.5) is None
    assert target_failure(Ended(load=bad_start, steady={"ok": 9}), 0.5) is not None


def test_workflows_without_a_record_count_as_ok() -> None:
    """A worker that was killed before its first commit leaves only what was in flight."""
    assert target_failure(Ended(load={"error": 30, "ok": 0}, unknown=200), 0.5) is None
    assert target_failure(Ended(load={"error": 3, "ok": 0}, unknown=1), 0.5) is None


def test_timeouts_alone_may_be_the_doing_of_others() -> None:
    late = {"ok": 20, "timeout": 80}
    wrong = {"ok": 20, "timeout": 19, "error": 61}
    by_waiting = [target_failure(Ended(load=one, steady=one), 0.5) for one in (late, wrong)]

    assert [found and found.by_waiting for found in by_waiting] == [True, False]


def test_a_level_that_the_scenario_ended_for_its_failures_failed() -> None:
    counts = {"ok": 80, "error": 20}
    ended = Ended(load=counts, steady=counts, stopped="20 % failed (limit 10 %)")
    found = target_failure(ended, 0.5)

    assert found is not None
    assert found.reason.startswith("the level was ended: 20 % failed (limit 10 %)")


def test_an_objective_that_allows_more_raises_what_is_tolerated_and_no_stricter_one() -> None:
    loose, strict = parse_slo("error_ratio < 0.8"), parse_slo("error_ratio < 0.01")

    assert tolerated_error_ratio(0.5, [strict], "level", "100") == 0.5
    assert tolerated_error_ratio(0.5, [strict, loose], "level", "100") == 0.8
    assert tolerated_error_ratio(0.5, [loose], "arm", "lean") == 0.5
