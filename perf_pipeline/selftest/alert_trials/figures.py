"""How many alerts did not fire on their cause in a real Alertmanager, or fired before it.

All times of the rules are a twentieth. At size ci the causes are those that fire within ten
seconds; at full size all, of which nine are values planted in place of an exporter's.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from perf_pipeline.config.settings import current_settings
from perf_pipeline.errors import ServiceUnavailableError
from perf_pipeline.selftest.alert_trials.play import QUICK, play_alerts
from perf_pipeline.selftest.figure import Figure, Size

_FIRED = "alerts that did not fire on their real cause"


def alert_figures(size: Size) -> list[Figure]:
    """Play the causes, then count."""
    with tempfile.TemporaryDirectory(prefix="perf-pipeline-selftest-") as temporary:
        folder = Path(temporary)
        settings = replace(current_settings(), temp_dir=folder)
        try:
            trials = play_alerts(settings, folder, alerts=QUICK if size is Size.CI else None)
        except ServiceUnavailableError as error:
            return [Figure(_FIRED, None, "", 0, note=str(error))]
    real = [one for one in trials if one.cause.is_real]
    planted = [one for one in trials if not one.cause.is_real]
    silent = [one for one in trials if one.fired_s is None]
    early = [one.cause.alert for one in trials if one.is_early]
    named = "; ".join(f"{one.cause.alert} ({one.cause.text})" for one in silent)
    return [
        Figure(_FIRED, len([one for one in silent if one.cause.is_real]), "", 0,
               note=named or f"of {len(real)}"),
        Figure("alerts that did not fire on planted values",
               len([one for one in silent if not one.cause.is_real]), "", 0,
               note=f"of {len(planted)}"),
        Figure("alerts that fired before their cause", len(early), "", 0, note="; ".join(early)),
    ]  # fmt: skip
