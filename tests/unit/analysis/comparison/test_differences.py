"""What must match before two runs compare, and what is said where it does not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.analysis.comparison.differences import NotComparableError, differences_of
from perf_pipeline.analysis.comparison.measured_level import side_of
from perf_pipeline.analysis.stored_metrics import metrics_of
from perf_pipeline.errors import ScenarioError
from tests.manifests import changed
from tests.simulated_run import write_run

if TYPE_CHECKING:
    from perf_pipeline.analysis.comparison.side import Side
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

KAILASH = {
    "name": "kailash==2.19.0",
    "package": "kailash",
    "packages": {"kailash": "2.19.0", "numpy": "2.2.0", "pandas": "2.2.3"},
}
SERVER = {"version": "18.1", "settings": {"shared_buffers": "256MB"}}


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> RunMetrics:
    """A run of kailash with one server."""
    folder = write_run(tmp_path_factory.mktemp("results"), "r-1", target=KAILASH, servers=[SERVER])
    return metrics_of(folder)


def side(measured: RunMetrics, nodes: str = "code", **changes: Any) -> Side:
    manifest = changed(measured.manifest, **changes) if changes else measured.manifest
    levels = tuple(
        replace(level, target=manifest.target.name, nodes=nodes) for level in measured.levels
    )
    return side_of("a side", [replace(measured, manifest=manifest, levels=levels)])


def refused(one: Side, other: Side) -> list[str]:
    with pytest.raises(NotComparableError) as caught:
        differences_of(one, other)
    return caught.value.problems


def test_like_runs_differ_in_nothing(measured: RunMetrics) -> None:
    assert differences_of(side(measured), side(measured)) == ()


def test_another_version_of_the_target_is_what_a_comparison_is_about(
    measured: RunMetrics,
) -> None:
    newer = {
        "name": "kailash==2.20.0",
        "packages": {**KAILASH["packages"], "kailash": "2.20.0"},
    }
    (one,) = differences_of(side(measured), side(measured, target=newer))
    assert (one.what, one.under_test, one.despite) == ("version", True, False)
    assert (one.baseline, one.candidate) == ("kailash 2.19.0", "kailash 2.20.0")


@pytest.mark.parametrize(
    ("what", "values", "changes"),
    [
        ("scenario", ("simulated", "other"), {"scenario": "other"}),
        ("seed", ("1", "2"), {"seed": 2}),
        ("machine", ("a processor", "another"), {"host": {"cpu_model": "another"}}),
        ("kernel", ("6.1.0", "6.2.0"), {"host": {"kernel": "6.2.0"}}),
        ("servers", ("PostgreSQL 18.1", "PostgreSQL 18.2"), {"servers": [{"version": "18.2"}]}),
        (
            "server_settings",
            ("postgres.shared_buffers 256MB", "1GB"),
            {"servers": [{**SERVER, "settings": {"shared_buffers": "1GB"}}]},
        ),
        (
            "packages",
            ("pandas 2.2.3", "numpy 2.3.0, pandas none"),
            {"target": {"packages": {"kailash": "2.19.0", "numpy": "2.3.0"}}},
        ),
        ("phases", ("steady_s 20.0", "steady_s 30.0"), {"phases": {"steady_s": 30.0}}),
        ("processes", ("1", "2"), {"processes": 2}),
        (
            "servers",
            ("PostgreSQL 18.1", ": postgres PostgreSQL 18.1 in the baseline, none in the"),
            {"servers": []},
        ),
        ("variables", ("none", "SIZE 3"), {"variables": {"values": {"SIZE": "3"}, "passed": []}}),
    ],
)
def test_whatever_else_differs_is_refused_by_name_with_both_values(
    measured: RunMetrics, what: str, values: tuple[str, str], changes: dict[str, Any]
) -> None:
    problems = refused(side(measured), side(measured, **changes))
    (one,) = [problem for problem in problems if problem.startswith(f"different {what}: ")]
    assert f"--despite {what}" in one
    assert all(value in one for value in values)


def _order(url: str, **request: Any) -> dict[str, Any]:
    sent = {"url": url, "method": "POST", **request}
    return {"workloads": [{"family": "order", "complexity": "", "request": sent}]}


@pytest.mark.parametrize(
    ("what", "values", "changes"),
    [
        (
            "addresses",
            ("order http://10.0.0.1:8000 in the", "order https://staging:8000 in the"),
            _order("https://staging:8000/order"),
        ),
        (
            "requests",
            ("order POST /order in the", "order POST /cart?full=1 in the"),
            _order("http://10.0.0.1:8000/cart?full=1"),
        ),
        (
            "requests",
            ("order POST /order in the", "order POST /order expect_status=201 timeout_s=3.0 in"),
            _order("http://10.0.0.1:8000/order", expect_status=201, timeout_s=3.0),
        ),
    ],
)
def test_another_server_or_request_behind_http_is_refused_with_both(
    measured: RunMetrics, what: str, values: tuple[str, str], changes: dict[str, Any]
) -> None:
    """They were hashed for the catalogue alone: a comparison said that nothing differs."""
    before = side(measured, **_order("http://10.0.0.1:8000/order"))
    (one,) = refused(before, side(measured, **changes))
    assert one.startswith(f"different {what}: ")
    assert all(value in one for value in values)
    assert f"--despite {what}" in one


def test_other_nodes_are_refused_and_every_difference_is_listed_at_once(
    measured: RunMetrics,
) -> None:
    problems = refused(side(measured), side(measured, nodes="lean", seed=3))
    assert [problem.split(":")[0] for problem in problems] == [
        "different nodes",
        "different seed",
    ]


def test_an_overridden_difference_is_recorded_and_the_others_are_still_refused(
    measured: RunMetrics,
) -> None:
    other = side(measured, seed=3, host={"cpu_model": "another"})
    with pytest.raises(NotComparableError, match="different machine"):
        differences_of(side(measured), other, despite=("seed",))
    found = differences_of(side(measured), other, despite=("seed", "machine"))
    assert {one.what: one.despite for one in found} == {"seed": True, "machine": True}
    with pytest.raises(ScenarioError, match="--despite colour names nothing"):
        differences_of(side(measured), side(measured), despite=("colour",))


def test_runs_of_one_side_must_match_among_themselves(measured: RunMetrics) -> None:
    newer = {"name": "kailash==2.20.0", "packages": {"kailash": "2.20.0"}}
    mixed = side(measured)
    conditions = (*mixed.conditions, *side(measured, target=newer).conditions)
    problems = refused(replace(mixed, conditions=conditions), side(measured))
    assert any("different version: kailash 2.19.0 or 2.20.0" in problem for problem in problems)


def test_a_rolling_baseline_spans_versions_and_is_refused_for_anything_else(
    measured: RunMetrics,
) -> None:
    """The day after a release, nine of the last ten runs are of the release before it."""
    packages = {**KAILASH["packages"], "kailash": "2.20.0"}
    newer = side(measured, target={"name": "kailash==2.20.0", "packages": packages})
    conditions = (*side(measured).conditions, *newer.conditions)
    rolling = replace(side(measured), conditions=conditions, spans_versions=True)
    (one,) = differences_of(rolling, newer)
    assert (one.what, one.under_test) == ("version", True)
    assert (one.baseline, one.candidate) == ("kailash 2.19.0 or 2.20.0", "kailash 2.20.0")

    other = (*conditions, *side(measured, seed=2).conditions)
    (problem,) = refused(replace(rolling, conditions=other), newer)
    assert problem.startswith("different seed: 1 or 2 in the baseline")


def test_two_commits_of_a_users_own_code_differ_in_what_is_under_test(
    measured: RunMetrics,
) -> None:
    """Else two revisions of it would be called the same thing twice (A/A)."""

    def at(changes: str) -> Side:
        code = {
            "folder": "/shop",
            "git_commit": "a" * 40,
            "git_branch": "main",
            "git_dirty": bool(changes),
            "changes_sha256": changes,
        }
        return side(measured, user_code=code)

    (one,) = differences_of(at(""), at("b" * 64))
    assert (one.what, one.under_test) == ("code", True)
    assert (one.baseline, one.candidate) == ("a" * 12, f"{'a' * 12} with changes bbbbbbbb")
    assert differences_of(at("b" * 64), at("c" * 64)) != ()
    assert differences_of(at(""), side(measured)) == ()


def test_what_is_under_test_can_be_something_else(measured: RunMetrics) -> None:
    """An interleaved comparison of two sets of packages is about these."""
    fewer = side(measured, target={"packages": {"kailash": "2.19.0"}})
    (one,) = differences_of(side(measured), fewer, under_test=("version", "packages"))
    assert (one.what, one.under_test) == ("packages", True)


def test_a_side_that_does_not_say_how_it_was_measured_is_refused_unless_that_is_accepted(
    measured: RunMetrics,
) -> None:
    silent = replace(side(measured), conditions=({},))
    (problem,) = refused(silent, side(measured))
    assert problem.startswith("different conditions: not recorded in the baseline")
    (one,) = differences_of(silent, side(measured), despite=("conditions",))
    assert one.despite
