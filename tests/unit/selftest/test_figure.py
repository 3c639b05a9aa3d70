from perf_pipeline.selftest.figure import Figure


def test_a_limit_is_kept_from_the_side_that_it_names() -> None:
    assert Figure("error", 0.8, "%", 0.8).passed
    assert not Figure("error", 0.81, "%", 0.8).passed
    assert Figure("ratio", 6.0, "", 6.0, at_most=False).passed
    assert not Figure("ratio", 5.99, "", 6.0, at_most=False).passed


def test_what_could_not_be_measured_proves_nothing() -> None:
    assert not Figure("ratio", None, "", 6.0, at_most=False, note="no Locust").passed
    assert not Figure("error", float("nan"), "%", 0.8).passed


def test_a_figure_without_a_limit_is_only_shown() -> None:
    assert Figure("coverage of the i.i.d. interval", 0.46, "", None).passed


def test_json_holds_no_value_that_json_does_not_know() -> None:
    shown = Figure("ratio", float("inf"), "", 6.0, at_most=True).as_json()

    assert shown["value"] is None
    assert shown["pass"] is False
    assert "inf" in shown["note"]
