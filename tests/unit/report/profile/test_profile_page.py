"""The page of a differential profile."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.metrics.profile_file import profile_of, write_profile
from perf_pipeline.report.profile.page import render_html, write_profile_page

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.metrics.types.profile import DifferentialProfile


def test_the_page_names_the_function_and_says_that_its_levels_count_in_no_verdict(
    profile: DifferentialProfile,
) -> None:
    page = render_html(profile)
    assert "score (shop.py:10) takes" in page
    assert "they count in no verdict" in page
    assert 'class="flames"' in page
    assert page.index("score (shop.py:10)") < page.index("parse (shop.py:10)")


def test_the_page_shows_what_sampling_cost(profile: DifferentialProfile) -> None:
    assert "Cost of sampling it" in render_html(profile)
    assert "of that beside it" in render_html(profile)


def test_functions_that_did_not_move_clearly_unfold_and_every_clear_one_is_shown(
    profile: DifferentialProfile,
) -> None:
    """A profile of a real runtime has fifty functions, most of which say nothing."""
    unclear = replace(profile.moves[0], low_s=-1.0, high_s=1.0)
    late = tuple(replace(unclear, function=f"f{n}") for n in range(30))
    page = render_html(replace(profile, moves=(*late[:14], profile.moves[0], *late[14:])))
    folded = page.index("<details>")
    assert "Functions that did not move clearly (16)" in page
    assert page.index("f13 (shop.py:10)") < folded < page.index("f14 (shop.py:10)")


def test_the_page_opens_offline_and_has_no_script(profile: DifferentialProfile) -> None:
    page = render_html(profile)
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert "prefers-color-scheme: dark" in page


def test_a_name_that_is_markup_is_shown_as_text(profile: DifferentialProfile) -> None:
    evil = replace(profile.moves[0], function="<img src=x onerror=alert(1)>")
    page = render_html(replace(profile, moves=(evil,)))
    assert "<img" not in page
    assert "&lt;img src=x" in page


def test_a_profile_that_could_not_be_made_has_a_page_with_the_reason(
    profile: DifferentialProfile,
) -> None:
    page = render_html(replace(profile, problem="the kernel refuses ptrace", moves=(), stacks=()))
    assert "Not explained: the kernel refuses ptrace." in page
    assert 'id="functions"' not in page
    assert 'class="flames"' not in page


def test_a_profile_is_read_back_equal_and_its_page_is_beside_it(
    profile: DifferentialProfile, tmp_path: Path
) -> None:
    stored = write_profile(tmp_path, profile)
    page = write_profile_page(tmp_path, profile)
    assert page == stored.with_suffix(".html")
    assert profile_of(tmp_path, profile.comparison_id) == profile
    assert profile_of(tmp_path, "20260114_093012-0000") is None
