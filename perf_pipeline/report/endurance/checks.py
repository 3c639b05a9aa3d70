"""The checks of a campaign: no leak, no degradation, stable errors; doubt passes none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.report.endurance.answers import answers
from perf_pipeline.report.run.checks import CheckFinding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.report.endurance.stored_campaign import StoredCampaign
    from perf_pipeline.report.run.answers import Verdict

TO_DO = {
    "no_leak": "What to do: the report names the signal; where it is in doubt, play more hours.",
    "no_degradation": "What to do: see the hours side by side; where it is in doubt, play more.",
    "errors_stable": "What to do: see the failed workflows of the hours; in doubt, play more.",
}


def findings(stored: StoredCampaign) -> Mapping[str, CheckFinding]:
    """Return the finding of each check; an error for what is proven, a warning for doubt."""
    judged = dict(zip(TO_DO, answers(stored)[-len(TO_DO) :], strict=True))
    return {name: _finding(name, one) for name, one in judged.items()}


def _finding(name: str, one: Verdict) -> CheckFinding:
    is_good = one.answer.tone == "good"
    said = (_in_short(one), *one.sentences[1:])
    return CheckFinding(
        passed=is_good,
        severity="ERROR" if one.answer.tone == "bad" else "WARN",
        sentences=said if is_good else (*said, TO_DO[name]),
        facts={"verdict": one.answer.text},
    )


def _in_short(one: Verdict) -> str:
    return " ".join((one.question, f"{one.answer.text}.", *one.sentences[:1]))


def failures(stored: StoredCampaign) -> tuple[str, ...]:
    """Return a line for each check that does not pass, the proven ones first."""
    found = [one for one in findings(stored).values() if not one.passed]
    found.sort(key=lambda one: one.severity != "ERROR")
    return tuple(one.sentences[0] for one in found)
