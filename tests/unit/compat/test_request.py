"""The options of ``python -m perf_pipeline``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from perf_pipeline.compat.command import known_code, loads_of, main
from perf_pipeline.compat.request import parse_request
from perf_pipeline.config.flags.overrides import Overrides
from perf_pipeline.config.scenario.builtin import open_scenario


def loads(*arguments: str) -> dict[str, Overrides]:
    return dict(parse_request(["--scenario", *arguments]).loads)


def test_each_scenario_is_run_with_the_levels_that_were_asked_for() -> None:
    assert loads("baseline") == {"baseline": Overrides()}
    assert loads("baseline", "--concurrency", "10", "50") == {
        "baseline": Overrides(concurrency=(10, 50))
    }
    assert loads("stress") == {"stress": Overrides(max_concurrency=2000)}
    assert loads("stress", "--max-concurrency", "3000") == {
        "stress": Overrides(max_concurrency=3000)
    }
    assert loads("stress", "--concurrency", "1000") == {"stress": Overrides(concurrency=(1000,))}
    assert loads("full", "--max-concurrency", "1500") == {
        "baseline": Overrides(),
        "stress": Overrides(max_concurrency=1500),
        "database": Overrides(),
    }


def test_endurance_takes_hours() -> None:
    assert loads("endurance") == {"endurance": Overrides(duration=1.0)}
    assert loads("endurance", "--duration", "24") == {"endurance": Overrides(duration=24.0)}
    written = loads("endurance", "--duration", "24h")["endurance"]
    soak = open_scenario("endurance", duration=written.duration).endurance
    assert soak is not None
    assert soak.hours == 24.0


def test_both_limits_on_the_levels_of_a_stress_test_are_passed_on() -> None:
    both = loads("stress", "--concurrency", "10", "50", "--max-concurrency", "20")["stress"]
    assert (both.concurrency, both.max_concurrency) == ((10, 50), 20)


def test_a_regression_test_has_the_levels_of_its_baseline(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    level = {"scenario": "baseline", "validity": "valid", "throughput": 1.0, "avg_latency": 1.0}
    file.write_text(
        json.dumps([{**level, "error_rate": 0.0, "concurrency": n} for n in (10, 50)]),
        encoding="utf-8",
    )
    request = parse_request(["--scenario", "regression", "--baseline", str(file)])
    assert loads_of(request) == {"baseline": Overrides(concurrency=(10, 50))}


def test_other_options_are_taken_as_given() -> None:
    words = ["--scenario", "baseline", "--results-dir", "r", "--verify-only", "--verbose"]
    request = parse_request(words)
    assert (request.results_dir, request.is_check_only, request.is_verbose) == (
        Path("r"),
        True,
        True,
    )
    assert not request.accept_verdicts


@pytest.mark.parametrize(
    ("arguments", "reported"),
    [
        (["baseline", "--duration", "2"], "--duration means nothing for baseline"),
        (["baseline", "--max-concurrency", "2"], "it is for stress, full"),
        (["stress", "--baseline", "b.json"], "--baseline means nothing for stress"),
        (["endurance", "--concurrency", "24"], "--concurrency means nothing for endurance"),
        (["regression"], "needs --baseline FILE"),
        (["nonsense"], "invalid choice"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused_with_exit_code_2(
    arguments: list[str], reported: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        parse_request(["--scenario", *arguments])  # never main: broken, it would start load
    assert end.value.code == 2
    assert reported in " ".join(capsys.readouterr().err.split())


def test_a_wrong_level_fails_the_check_and_bars_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--scenario", "baseline", "--concurrency", "0", "--results-dir", str(tmp_path)]
    assert main([*words, "--verify-only"]) == 1
    assert main(words) == 2
    assert "--concurrency" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_missing_baseline_is_bad_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--scenario", "regression", "--baseline", str(tmp_path / "none.json")]
    assert main([*words, "--results-dir", str(tmp_path)]) == 2
    assert "none.json is missing" in capsys.readouterr().err


def test_exit_codes_are_the_old_ones() -> None:
    """3, not a measurement, did not exist; it is a failure."""
    assert [known_code(code) for code in (0, 1, 2, 3, 130)] == [0, 1, 2, 1, 130]
