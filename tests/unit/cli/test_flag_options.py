"""Options made from a table of flags, and what their texts mean."""

from __future__ import annotations

from perf_pipeline.cli.flag_options import flag_value
from perf_pipeline.config.flags.flag import flags_of
from perf_pipeline.config.flags.overrides import Overrides

FLAGS = {flag.field: flag for flag in flags_of(Overrides)}


def test_a_flag_is_the_number_of_its_text_or_stays_text() -> None:
    seed = FLAGS["seed"]
    assert flag_value(seed, None) is None
    values = [flag_value(seed, text) for text in ("12", "1.5", "1e3", "x")]
    assert values == [12, 1.5, 1000.0, "x"]
    assert isinstance(values[0], int)
    assert isinstance(flag_value(seed, "9" * 5000), float)


def test_a_flag_of_several_values_is_a_tuple_and_none_of_them_is_none_given() -> None:
    assert flag_value(FLAGS["concurrency"], ["10", "x"]) == (10, "x")
    assert flag_value(FLAGS["settings"], ["retries=3"]) == ("retries=3",)
    assert flag_value(FLAGS["concurrency"], []) is None


def test_a_text_flag_that_looks_like_a_number_stays_text() -> None:
    assert flag_value(FLAGS["nodes"], "12") == "12"
