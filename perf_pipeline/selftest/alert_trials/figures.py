"""How many alerts did not fire on their cause in a real Alertmanager, or fired before it.

All times of the rules are a twentieth. At size ci the causes are those that fire within ten
seconds; at full size all. Values planted in place of an exporter's are a figure of their own.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.config.settings import current_settings
from perf_pipeline.errors import ServiceUnavailableError
from perf_pipeline.selftest.alert_trials.play import GROUPS, QUICK, play_alerts
from perf_pipeline.selftest.figure import Figure, Size

if TYPE_CHECKING:
    from perf_pipeline.selftest.alert_trials.play import AlertTrial

_FIRED = "alerts that did not fire on their real cause"
_PLANTED = "alerts that did not fire on planted values"


def alert_figures(size: Size) -> list[Figure]:
    """Play the causes, then count."""
    with tempfile.TemporaryDirectory(prefix="perf-pipeline-selftest-") as temporary:
        folder = Path(temporary)
        settings = replace(current_settings(), temp_dir=folder)
        try:
            trials = play_alerts(settings, folder, groups=QUICK if size is Size.CI else GROUPS)
        except ServiceUnavailableError as error:
            return [Figure(_FIRED, None, "", 0, note=str(error))]
    return [
        _silent(_FIRED, [one for one in trials if one.cause.is_real]),
        _silent(_PLANTED, [one for one in trials if not one.cause.is_real]),
        _early(trials),
    ]


def _silent(what: str, trials: list[AlertTrial]) -> Figure:
    """Return how many causes were made and had no alert, and name those that were not made."""
    made = [one for one in trials if not one.why_not_here]
    silent = [f"{one.cause.alert} ({one.cause.text})" for one in made if one.fired_s is None]
    refused = [f"{one.cause.alert}: {one.why_not_here}" for one in trials if one.why_not_here]
    note = [f"of {len(made)}", *silent, *(f"not played here: {one}" for one in refused)]
    return Figure(what, len(silent), "", 0, note="; ".join(note))


def _early(trials: list[AlertTrial]) -> Figure:
    early = [one.cause.alert for one in trials if one.is_early]
    return Figure("alerts that fired before their cause", len(early), "", 0, note="; ".join(early))
