"""How a command answers: lines for people, or one JSON object as the last line of its output."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from perf_pipeline.ci.notes import note_error
from perf_pipeline.cli.lines.terminal import inert
from perf_pipeline.config.settings import current_settings
from perf_pipeline.errors import PerfPipelineError, ScenarioError
from perf_pipeline.exit_code import Exit
from perf_pipeline.program.ending import interrupted_code
from perf_pipeline.redaction.redact import redacted_values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.samples.run_folder import RunFolder

SCHEMA_VERSION = 1

AsJson = Annotated[
    bool, typer.Option("--json", help="End with one JSON object, the last line of the output.")
]
Explain = Annotated[
    bool, typer.Option("--explain", help="Print intervals and what each column means as well.")
]
ExplainRegression = Annotated[
    bool | None,
    typer.Option(
        "--explain/--no-explain",
        help="Play both sides again for a minute or two, sample them, and name the functions whose "
        "CPU time moved; print intervals as well. Default: only of a regression.",
    ),
]
ExplainMore = Annotated[
    bool, typer.Option("--explain", help="Print also what is good, and what each line means.")
]
ExplainSteps = Annotated[
    bool, typer.Option("--explain", help="Print every step, and what its columns mean, as well.")
]
Results = Annotated[
    Path | None,
    typer.Option("--results", help="Folder of the runs; default: PERF_PIPELINE_RESULTS, results."),
]

Junit = Annotated[
    Path | None,
    typer.Option(
        "--junit",
        metavar="FILE",
        help="Write the verdicts as JUnit XML, whatever the end: undecided is skipped, not passed.",
    ),
]
Summary = Annotated[
    Path | None,
    typer.Option(
        "--summary",
        metavar="FILE",
        help="Write a Markdown summary likewise; $GITHUB_STEP_SUMMARY is appended to.",
    ),
]
Wait = Annotated[
    str,
    typer.Option(
        "--wait",
        metavar="TIME",
        help="How long to wait for another load run on this host to end: 30s, 10m, 2h, or "
        "seconds; 0 for not at all. Then exit 75.",
    ),
]


def _refuse_results(ctx: typer.Context, given: str | None) -> None:
    if given is not None:
        raise typer.BadParameter(
            f"`{ctx.info_name}` neither reads nor writes runs, so --results would do nothing; "
            "leave it out"
        )


NoResults = Annotated[
    str | None,
    typer.Option("--results", hidden=True, callback=_refuse_results, expose_value=False),
]
"""For commands to which a results folder means nothing: given, it is refused with that sentence."""


def answer(value: dict[str, Any], *, as_json: bool) -> None:
    """Print the machine-readable answer, if it was asked for; an error is in the CI files too."""
    if "error" in value:
        note_error(value["error"], value.get("problems") or [value["error"]])
    if as_json:
        print(json.dumps({"schema_version": SCHEMA_VERSION, **redacted_values(value)}))  # noqa: T201


@contextmanager
def bad_input_explained(*, as_json: bool) -> Iterator[None]:
    """Turn an error that the user can act on into its text and exit code 2, never a traceback.

    Ctrl-C meanwhile is exit code 130, SIGTERM 143, SIGHUP 129.
    """
    try:
        yield
    except KeyboardInterrupt as error:
        text = "interrupted before anything was started"
        print(text, file=sys.stderr)  # noqa: T201
        answer({"error": "Interrupted", "problems": [text]}, as_json=as_json)
        raise typer.Exit(interrupted_code()) from error
    except PerfPipelineError as error:
        problems = error.problems if isinstance(error, ScenarioError) else [str(error)]
        for problem in problems:
            print(inert(problem), file=sys.stderr)  # noqa: T201
        answer({"error": type(error).__name__, "problems": problems}, as_json=as_json)
        raise typer.Exit(Exit.BAD_INPUT) from error


def found_run(name: str | None, results: Path | None) -> RunFolder:
    """Find a run by id or path, or the latest one; what is passed over is named on standard error.

    Raises:
        RunFolderError: There is none such.
    """

    def notify(line: str) -> None:
        print(inert(line), file=sys.stderr)  # noqa: T201

    from perf_pipeline.samples.run_list import find_run  # noqa: PLC0415 - few commands read runs

    return find_run(settings_with(results).results_dir, name, notify)


def settings_with(results: Path | None) -> Settings:
    """Return the settings, with the results folder of the command line."""
    settings = current_settings()
    folder = results or settings.results_dir
    return replace(settings, results_dir=folder.resolve())
