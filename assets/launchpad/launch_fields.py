"""What the launchpad shows at first: the fields that people change, with their values.

A value that is filled in takes the place of the scenario's. So the fields of a job for one scenario
have that scenario's own values, and those of a job for any scenario are empty.
"""

from perf_pipeline.config.duration import DEFAULT_WAIT
from perf_pipeline.config.flags.flag import flags_of
from perf_pipeline.config.flags.overrides import Overrides
from perf_pipeline.config.scenario.builtin import open_scenario
from perf_pipeline.config.scenario.target_spec import target_fields

_FIELD = {flag.option: flag.field for flag in flags_of(Overrides)}
_LEVELS, _DURATION, _SLOS = _FIELD["--concurrency"], _FIELD["--duration"], _FIELD["--slo"]

OWN_VALUES: dict[str, object] = {
    "scenario": "baseline",
    "target": None,
    _LEVELS: [],
    _FIELD["--rate"]: [],
    _DURATION: None,
    "repeats": None,
    _SLOS: [],
    "gate": None,
    "results_dir": None,
    "wait": DEFAULT_WAIT,
}
"""The fields of a job for any scenario: what is empty is as the scenario has it."""

CAPACITY_VALUES: dict[str, object] = {
    "scenario": "baseline",
    "target": None,
    _SLOS: ["p99_s < 5"],
    "of": "in_flight",
    "start": None,
    "max_load": None,
    _DURATION: None,
    "results_dir": None,
    "wait": DEFAULT_WAIT,
}

AB_VALUES: dict[str, object] = {
    "scenario": "baseline",
    "a": "kailash",
    "b": "kailash+pandas",
    "width_percent": None,
    "budget_s": None,
    _LEVELS: [10],
    _DURATION: 10.0,
    "results_dir": None,
    "wait": DEFAULT_WAIT,
}


def launch_fields(name: str) -> dict[str, object]:
    """Return the fields of a job for one scenario of the project."""
    scenario = open_scenario(name)
    return {
        **OWN_VALUES,
        "scenario": name,
        **target_fields(scenario.target),
        _LEVELS: list(scenario.concurrency),
        _DURATION: scenario.phases.steady_s,
        "repeats": scenario.repeats,
        _SLOS: [slo.text for slo in scenario.slos],
    }
