"""A comparison is explained where it is a regression, or where that is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from perf_pipeline import comparison_run
from perf_pipeline.analysis.profile.profile import Sampling, differential_profile
from perf_pipeline.errors import GaveUpWaitingError
from perf_pipeline.explaining import explain_comparison
from perf_pipeline.metrics.profile_file import write_profile
from tests.simulated_run import write_run
from tests.simulated_stacks import equal_costs, sampled_side

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.metrics.types.comparison import Comparison
    from perf_pipeline.metrics.types.profile import DifferentialProfile
    from tests.unit.cli.conftest import Answer


@pytest.fixture
def explained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ids of the comparisons that were explained; no level is played."""
    ids: list[str] = []

    def explain(comparison: Comparison, settings: Settings, **_other: Any) -> DifferentialProfile:
        ids.append(comparison.comparison_id)
        rng = np.random.default_rng(1)
        profile = differential_profile(
            Sampling(comparison.comparison_id, 8, 8, "py-spy 0.4.3", 100, is_native=True),
            sampled_side("r-1", equal_costs(), rng),
            sampled_side("r-2", equal_costs(score=0.5e-3), rng),
        )
        write_profile(settings.results_dir, profile)
        return profile

    monkeypatch.setattr(comparison_run, "explain_comparison", explain)
    return ids


def test_a_regression_is_explained_and_its_page_leads_to_the_functions(
    command: Callable[..., Answer], here: Path, explained: list[str]
) -> None:
    write_run(here / "results", "r-1", service_s=0.1)
    write_run(here / "results", "r-2", service_s=0.2)
    ended = command("compare", "r-1", "r-2", "--json")

    found = ended.reported
    assert explained == [found["comparison_id"]]
    assert found["why"][0].startswith("score (shop.py:10) takes")
    page = (here / "results" / "comparisons" / f"{explained[0]}.html").read_text()
    assert f"../profiles/{explained[0]}.html" in page
    assert "score (shop.py:10)" in page


def test_the_verdict_is_there_before_it_is_explained_and_outlives_ctrl_c(
    command: Callable[..., Answer], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(here / "results", "r-1", service_s=0.1)
    write_run(here / "results", "r-2", service_s=0.2)
    pages: list[bool] = []

    def explain(comparison: Comparison, _settings: Settings, **_other: Any) -> None:
        page = here / "results" / "comparisons" / f"{comparison.comparison_id}.html"
        pages.append(page.is_file())
        raise KeyboardInterrupt

    monkeypatch.setattr(comparison_run, "explain_comparison", explain)
    ended = command("compare", "r-1", "r-2", "--json")

    assert (ended.code, ended.reported["verdict"]) == (130, "regression")
    assert pages == [True]
    assert ended.err.index("regression, critical") < ended.err.index("explain: interrupted")
    assert Path(ended.reported["report"]).is_file()


def test_another_load_run_costs_the_explanation_and_not_the_verdict(
    command: Callable[..., Answer], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(here / "results", "r-1", service_s=0.1)
    write_run(here / "results", "r-2", service_s=0.2)

    def side(*_asked: object) -> None:
        raise GaveUpWaitingError("another load run has the lock of this host")

    monkeypatch.setattr(explain_comparison, "side_of_run", side)
    ended = command("compare", "r-1", "r-2", "--json")

    assert (ended.code, ended.reported["verdict"]) == (1, "regression")
    assert ended.err.count("another load run has the lock") == 1
    assert ended.reported["why"][0].startswith("Not explained: another load run has the lock")


@pytest.mark.parametrize(("flags", "times"), [((), 0), (("--no-explain",), 0), (("--explain",), 1)])
def test_what_is_no_regression_is_explained_only_where_that_is_asked_for(
    command: Callable[..., Answer],
    here: Path,
    explained: list[str],
    flags: tuple[str, ...],
    times: int,
) -> None:
    write_run(here / "results", "r-1", service_s=0.1)
    write_run(here / "results", "r-2", service_s=0.05)
    command("compare", "r-1", "r-2", *flags)
    assert len(explained) == times


def test_a_regression_is_not_explained_where_that_is_refused(
    command: Callable[..., Answer], here: Path, explained: list[str]
) -> None:
    write_run(here / "results", "r-1", service_s=0.1)
    write_run(here / "results", "r-2", service_s=0.2)
    assert command("compare", "r-1", "r-2", "--no-explain").code == 1
    assert explained == []
