"""Both arms together name the release and the cause: its code, or its dependencies."""

from __future__ import annotations

from perf_pipeline.bisect.arms import bisect_both
from perf_pipeline.bisect.package_moves import package_moves
from perf_pipeline.bisect.table import answer_lines
from tests.unit.bisect.planted import METRIC, Planted

NAMES = ["2.17.0", "2.17.1", "2.18.0", "2.18.1", "2.19.0", "2.20.0", "2.20.3", "2.65.0"]
CORE = {"networkx": "3.6", "pydantic": "2.14"}
WITH_PANDAS = {**CORE, "pandas": "2.3.3", "pydantic": "2.13"}
INSTALLED = {one: WITH_PANDAS if one < "2.18" else CORE for one in NAMES}
PUBLISHED = {one: 1.28 if one < "2.18" else 3.7 if one < "2.20" else 5.2 for one in NAMES}
PINNED = {one: 4.44 if one < "2.18" else 3.7 if one < "2.20" else 5.2 for one in NAMES}


def test_kailash_got_slower_by_its_dependencies_at_2_18_and_by_its_code_at_2_20() -> None:
    """The table of measurements in reference/kailash.md, section 11."""
    published, pinned = Planted(PUBLISHED, installed=INSTALLED), Planted(PINNED)
    found = bisect_both(NAMES, published, pinned, METRIC)
    assert found.published.first_bad == "2.18.0"
    assert found.pinned.first_bad == "2.20.0"
    assert found.cause == "dependencies"
    assert found.step is not None
    assert found.step.answer == "good"
    assert found.moves.removed == ("pandas 2.3.3",)
    assert found.moves.changed == ("pydantic 2.13 -> 2.14",)
    assert "removed: pandas 2.3.3" in found.why
    assert found.comparisons == published.asked.total() + pinned.asked.total()


def test_the_same_release_in_both_arms_is_its_code_without_a_further_comparison() -> None:
    cost = {one: 1.0 if one < "2.20" else 1.39 for one in NAMES}
    found = bisect_both(NAMES, Planted(cost), Planted(cost), METRIC)
    assert found.published.first_bad == found.pinned.first_bad == "2.20.0"
    assert found.cause == "code"
    assert found.step is None


def test_code_that_got_slower_after_it_had_got_faster_is_found_by_the_step_alone() -> None:
    """Pinned, 2.20.0 is 39 % worse than 2.19.0 and no worse than 2.17.0."""
    published = {one: 1.0 if one < "2.20" else 1.39 for one in NAMES}
    pinned = {one: 1.0 if one < "2.18" else 0.7 if one < "2.20" else 0.97 for one in NAMES}
    found = bisect_both(NAMES, Planted(published), Planted(pinned), METRIC)
    assert found.published.first_bad == "2.20.0"
    assert found.pinned.outcome == "no_regression"
    assert found.cause == "code"


def test_what_pinned_packages_cannot_show_stays_undecided() -> None:
    pinned = Planted(PINNED, broken={"2.17.1": "No module named 'pandas'"})
    found = bisect_both(NAMES, Planted(PUBLISHED), pinned, METRIC)
    assert found.published.first_bad == "2.18.0"
    assert found.cause == "undecided"
    assert "No module named 'pandas'" in found.why


def test_nothing_found_as_published_has_no_cause_and_the_pinned_arm_still_searches() -> None:
    """Faster packages hide slower code."""
    flat = dict.fromkeys(NAMES, 1.0)
    found = bisect_both(NAMES, Planted(flat), Planted(PINNED), METRIC)
    assert found.cause == ""
    assert found.published.outcome == "no_regression"
    assert found.pinned.first_bad == "2.20.0"


def test_the_search_says_of_each_answer_in_which_arm_it_was_given() -> None:
    said: list[tuple[str, str]] = []
    bisect_both(
        NAMES,
        Planted(PUBLISHED),
        Planted(PINNED),
        METRIC,
        lambda arm, asked: said.append((arm, asked.release)),
    )
    assert said[0] == ("as published", "2.65.0")
    assert {arm for arm, _ in said} == {"as published", "pinned"}


def test_what_pinned_releases_have_besides_is_said() -> None:
    pinned = Planted(PINNED, added=("requests==2.34.2",))
    found = bisect_both(NAMES, Planted(PUBLISHED, installed=INSTALLED), pinned, METRIC)
    assert found.added == ("requests==2.34.2",)
    (line,) = (one for one in answer_lines(found) if "requests==2.34.2" in one)
    assert "every pinned release also has" in line


def test_packages_that_moved_are_named_shortly() -> None:
    earlier = {f"package-{number}": "1" for number in range(80)}
    moves = package_moves(earlier, {"package-0": "2", "other": "1"})
    assert len(moves.removed) == 79
    assert moves.summary.endswith("; added: other 1; changed: package-0 1 -> 2")
    assert "and 73 more" in moves.summary
    assert not package_moves(earlier, earlier)
