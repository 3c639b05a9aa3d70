"""Values are shown as they were written, and do no harm to who reads them."""

from __future__ import annotations

import pytest

from perf_pipeline.config.wording import did_you_mean, listed, printable, shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (100.0, "100.0"),
        (1e12, "1e12"),
        (1234567.5, "1234567.5"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (2**63, "9223372036854775808"),
        ('a"\x1b', '"a\\"\\u001b"'),
        ([1, "x", 2, 3, 4], 'a list of 5: [1, "x", 2, 3, ...]'),
        ([], "an empty list"),
        ({"a": 1}, "a table"),
    ],
)
def test_a_value_is_shown_as_toml_writes_it(value: object, text: str) -> None:
    assert shown(value) == text


def test_whatever_is_long_is_cut() -> None:
    assert shown(10**5000) == "an integer of 16610 bits"
    assert len(shown("x" * 9999)) == 60
    assert len(shown(["x" * 9999] * 9)) < 90


def test_control_characters_and_text_that_runs_backwards_are_escaped() -> None:
    assert printable("a\x1b[31m\u202eé\udce9") == "a\\u001b[31m\\u202eé\\udce9"


def test_names_are_joined_and_the_nearest_is_found() -> None:
    assert (listed([]), listed(["a"]), listed(["a", "b", "c"])) == ("nothing", "a", "a, b or c")
    assert did_you_mean("Sead", ["seed", "title"]) == 'did you mean "seed"?'
    assert did_you_mean("zzz", ["seed", "title"]) == ""
