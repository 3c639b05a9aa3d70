"""What bisect is asked is checked before anything is installed."""

from __future__ import annotations

import pytest

from perf_pipeline.cli.releases.bisect import checked_target, range_of
from perf_pipeline.errors import ScenarioError

RELEASES = ("2.17.0", "2.17.1", "2.18.0", "2.20.0")


def test_the_range_has_both_ends_and_what_is_between() -> None:
    assert range_of(RELEASES, "2.17.1", "2.20.0") == ("2.17.1", "2.18.0", "2.20.0")
    assert range_of(RELEASES, "2.17", "2.17.1") == ("2.17.0", "2.17.1")


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ("2.18.0", "2.17.0", "--bad is 2.17.0, which is not later than --good"),
        ("2.18.0", "2.18", "not later"),
        ("2.17.0", "2.19.0", "2.19.0: no such release in the index"),
        ("2.16.0", "2.99.0", "2.16.0 and 2.99.0: no such release"),
        ("old", "2.18.0", "--good is 'old'"),
        ("2.17.0", "new", "--bad is 'new'"),
    ],
)
def test_an_end_that_is_no_release_is_refused(good: str, bad: str, said: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        range_of(RELEASES, good, bad)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("kailsh", "names no target"),
        ("kailash==2.19.0", "--good and --bad name the releases"),
        ("callable", "has no package of its own"),
    ],
)
def test_a_target_without_releases_is_refused(target: str, said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        checked_target(target)


def test_packages_of_a_target_are_in_every_release() -> None:
    assert checked_target("kailash+pandas").packages == ("pandas",)
