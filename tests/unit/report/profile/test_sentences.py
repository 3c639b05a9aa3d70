"""What a differential profile found, in sentences."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.report.profile.sentences import headline, path, sentences

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.profile import DifferentialProfile


def test_the_first_sentence_names_the_function_its_line_and_the_move(
    profile: DifferentialProfile,
) -> None:
    said = headline(profile)
    assert said.startswith("score (shop.py:10) takes ")
    assert "more CPU time per workflow" in said
    assert "95 % interval" in said


def test_a_move_that_is_not_clear_is_no_finding(profile: DifferentialProfile) -> None:
    first = profile.moves[0]
    unclear = replace(first, low_s=-first.move_s, high_s=3 * first.move_s)
    said = headline(replace(profile, moves=(unclear,)))
    assert said.startswith("No function's own CPU time moved by more than sampling can tell")
    assert "score (shop.py:10)" in said


def test_warnings_follow_the_finding(profile: DifferentialProfile) -> None:
    said = sentences(profile)
    assert said[0] == headline(profile)
    assert "in place of 500" in said[-1]


def test_a_long_call_path_keeps_its_inner_end(profile: DifferentialProfile) -> None:
    deep = replace(profile.moves[0], path=tuple("abcdefg"))
    assert path(deep) == "… > d > e > f > g"
