"""One table of flags: what is added to it is everywhere where a flag is."""

from __future__ import annotations

from dataclasses import dataclass

import dagster as dg
import pytest
import typer
from typer.testing import CliRunner

from assets.capacity import CapacityConfig
from assets.launchpad.flag_form import flags_in, with_flags
from assets.regression.ab import AbConfig
from assets.resources import LoadRun
from perf_pipeline.cli.app import whole_app
from perf_pipeline.cli.flag_options import takes_flags
from perf_pipeline.config.flags.flag import flag
from perf_pipeline.config.flags.overrides import Overrides
from perf_pipeline.config.machine import MachineLimits
from perf_pipeline.config.scenario.builtin import open_scenario
from perf_pipeline.config.scenario.keys import SECTIONS
from perf_pipeline.errors import ScenarioError

MACHINE = MachineLimits(None, None, None, None, None, cores_usable=2)
DRAIN = next(key for key in SECTIONS["phases"] if key.name == "drain_s")


@dataclass(frozen=True)
class WithDrain(Overrides):
    """The table of the flags of ``run``, and one more."""

    drain_s: float | None = flag(
        "--drain",
        DRAIN,
        "Time in which workflows in flight may still end, seconds",
        "Measurement",
        metavar="SECONDS",
        path=("phases", "drain_s"),
    )


def command_of(taken: list[WithDrain]) -> typer.Typer:
    @takes_flags("overrides", WithDrain)
    def run(overrides: WithDrain) -> None:
        taken.append(overrides)

    app = typer.Typer()
    app.command()(run)
    return app


def test_a_flag_added_to_the_table_is_an_option_of_the_command() -> None:
    taken: list[WithDrain] = []
    shown = CliRunner().invoke(command_of(taken), ["--help"], env={"COLUMNS": "200"}).output
    (line,) = [line for line in shown.splitlines() if "--drain" in line]
    assert "SECONDS" in line
    assert "Time in which workflows in flight may still end, seconds." in line
    assert shown.index("Measurement") < shown.index("--drain") < shown.index("Limits and")
    assert CliRunner().invoke(command_of(taken), ["--drain", "3.5", "--seed", "7"]).exit_code == 0
    assert taken == [WithDrain(drain_s=3.5, seed=7)]


def test_a_flag_added_to_the_table_is_a_field_of_the_launchpad() -> None:
    @with_flags(WithDrain)
    class Form(dg.Config):
        """A form."""

    fields = Form.to_fields_dict()
    assert fields["drain_s"].description == (
        "Time in which workflows in flight may still end, seconds."
    )
    assert not fields["drain_s"].is_required
    assert flags_in(Form(), WithDrain) == WithDrain()
    assert flags_in(Form(drain_s=3.5), WithDrain) == WithDrain(drain_s=3.5)  # type: ignore[call-arg]


def test_a_flag_added_to_the_table_replaces_the_value_of_the_scenario() -> None:
    scenario = open_scenario("baseline", MACHINE, WithDrain(drain_s=3.5))
    assert scenario.phases.drain_s == 3.5
    with pytest.raises(ScenarioError, match="--drain is -1; allowed is a number from 0 to 3600"):
        open_scenario("baseline", MACHINE, WithDrain(drain_s=-1))


@pytest.mark.parametrize(
    ("word", "form", "of_the_form", "of_the_command"),
    [
        (
            "run",
            LoadRun,
            {"run_id", "recorded", "target_version", "target_packages"},
            {
                "accept_verdicts",
                "as_json",
                "explain",
                "plain",
                "junit",
                "summary",
                "hosts",
                "image",
                "shards",
            },
        ),
        (
            "capacity",
            CapacityConfig,
            {"run_id", "target_version", "target_packages"},
            {"as_json", "explain", "junit", "summary"},
        ),
        ("ab", AbConfig, {"run_id"}, {"as_json", "explain", "junit", "summary"}),
    ],
)
def test_the_launchpad_has_the_flags_of_the_command(
    word: str, form: type[dg.Config], of_the_form: set[str], of_the_command: set[str]
) -> None:
    """Scenario and results folder are in both; the rest is a matter of the one or the other."""
    command = typer.main.get_group(whole_app()).commands[word]
    flags = {one.name for one in command.params} - of_the_command - {"results"}
    fields = set(form.to_fields_dict()) - of_the_form - {"results_dir"}
    assert fields == flags
