"""The command init: writes a commented scenario for a function of the user's."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Annotated

import typer

from perf_pipeline.cli.inspect import check_functions
from perf_pipeline.cli.lines.terminal import show
from perf_pipeline.cli.output import AsJson, NoResults, answer, bad_input_explained
from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.names import allowed, is_name
from perf_pipeline.config.scenario.builtin import open_scenario
from perf_pipeline.config.scenario.first_scenario import first_scenario
from perf_pipeline.config.scenario.function_source import read_function
from perf_pipeline.config.settings import current_folder
from perf_pipeline.config.wording import printable
from perf_pipeline.errors import PerfPipelineError, ScenarioError


def init(
    function: Annotated[
        str,
        typer.Argument(
            metavar="MODULE:FUNCTION", help="Your function, such as shop:order for shop.py here."
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="FILE.toml", help="Where; default: MODULE.toml here."),
    ] = None,
    as_json: AsJson = False,  # noqa: FBT002 typer's way of a flag
    results: NoResults = None,  # noqa: ARG001 refused when given
) -> None:
    """Write a commented scenario for a function, which `check` accepts as it is.

    The function's source is read, to see whether it is async and takes the workflow's number. An
    existing file is never overwritten.
    """
    with bad_input_explained(as_json=as_json):
        source = read_function(function, current_folder())
        module = function.partition(":")[0].rpartition(".")[2]
        file = output or Path(f"{module}.toml")
        _check_file(file)
        _write(file, first_scenario(source, file))
        try:
            scenario = open_scenario(str(file), read_machine_limits())
            check_functions(scenario, str(file))
        except PerfPipelineError:
            file.unlink()
            raise
    name = shlex.quote(str(file))
    commands = [f"perf-pipeline check {name}", f"perf-pipeline run {name}"]
    show(f"wrote {file}: {function} on target {source.target}", as_json=as_json)
    show(f"next: {commands[0]}, then {commands[1]}", as_json=as_json)
    answer(
        {
            "file": str(file),
            "function": function,
            "target": source.target,
            "python_path": str(source.folder),
            "next": commands,
        },
        as_json=as_json,
    )


def _check_file(file: Path) -> None:
    """Refuse a file that cannot be written, or be a scenario's.

    Raises:
        ScenarioError: With the reason.
    """
    shown = printable(str(file))
    if file.suffix != ".toml" or not is_name("scenario name", file.stem):
        raise ScenarioError(
            [f"--output {shown} is no scenario's name: {allowed('scenario name')}, then .toml."]
        )
    if file.exists() or file.is_symlink():
        raise ScenarioError([f"{shown} exists and is not overwritten; name another one: --output."])
    if not file.parent.is_dir() or not os.access(file.parent, os.W_OK):
        raise ScenarioError([f"{shown} cannot be written: its folder is not there, or read-only."])


def _write(file: Path, text: str) -> None:
    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise ScenarioError([f"{printable(str(file))} cannot be written: {error}."]) from error
