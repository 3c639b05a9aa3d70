"""Commands that start no load: check, scenarios, records, report."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from perf_pipeline.analysis.stored_metrics import metrics_of
from perf_pipeline.capacity_run import report_capacity
from perf_pipeline.cli.completion import offer_runs, offer_scenarios
from perf_pipeline.cli.flag_options import takes_flags
from perf_pipeline.cli.lines.capacity_lines import capacity_lines
from perf_pipeline.cli.lines.check_lines import (
    environment_lines,
    fault_lines,
    fit_lines,
    request_lines,
)
from perf_pipeline.cli.lines.lines import line_width, show_wrapped
from perf_pipeline.cli.lines.terminal import show, show_report
from perf_pipeline.cli.output import (
    AsJson,
    Explain,
    ExplainMore,
    NoResults,
    Results,
    answer,
    bad_input_explained,
    found_run,
    settings_with,
)
from perf_pipeline.cli.summary import show_summary
from perf_pipeline.config.flags.flag import flags_of
from perf_pipeline.config.flags.overrides import Overrides
from perf_pipeline.config.level_bounds import SLOT_IS, largest_level, mode_of
from perf_pipeline.config.machine import processes_of, read_machine_limits
from perf_pipeline.config.scenario.builtin import list_scenarios, open_scenario
from perf_pipeline.config.scenario.stages import measured
from perf_pipeline.config.scenario.target_spec import parse_target
from perf_pipeline.loadgen.environment.environment import find_environment
from perf_pipeline.loadgen.environment.function_trial import (
    FunctionTrial,
    function_targets,
    try_functions,
)
from perf_pipeline.loadgen.users_servers import answering_servers, servers_that_run
from perf_pipeline.report.run.files import write_files
from perf_pipeline.report.text.escape import visible
from perf_pipeline.samples.campaign.campaign_folder import campaign_named
from perf_pipeline.samples.damage import damage_named
from perf_pipeline.samples.level_records import read_level
from perf_pipeline.samples.manifest import read_manifest
from perf_pipeline.samples.pruned import pruned_at, pruned_sentence, run_pruned_at
from perf_pipeline.samples.record import ErrorClass, Outcome
from perf_pipeline.samples.run_record import MAY_GO_ON

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.samples.run_folder import RunFolder

TEXTS_A_CLASS = 3

RunName = Annotated[
    str | None,
    typer.Argument(
        metavar="[RUN]",
        help="Id or folder of a run; default: the latest.",
        autocompletion=offer_runs,
    ),
]

_FLAGS = tuple(one for one in flags_of(Overrides) if one.field == "own_hosts")


@takes_flags("overrides", Overrides, _FLAGS)
def check(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE.toml",
            help="A scenario, by name or file.",
            autocompletion=offer_scenarios,
        ),
    ],
    overrides: Overrides,
    call: Annotated[  # noqa: FBT002 typer's way of a flag
        bool, typer.Option(help="Call your own functions once, or only import them.")
    ] = True,
    as_json: AsJson = False,  # noqa: FBT002
    explain: ExplainMore = False,  # noqa: FBT002
    results: NoResults = None,  # noqa: ARG001 refused when given
) -> None:
    """Check a scenario file and report every problem at once; no load is started.

    Your own functions (setup, each workload function, teardown) are called once, in the folder,
    interpreter and environment of the workers; with servers, if those run already. Workflow
    numbers begin at 0; negative numbers are trial calls and cold starts. Servers that the settings
    name are asked what they are.
    """
    with bad_input_explained(as_json=as_json):
        machine = read_machine_limits()
        scenario = open_scenario(file, machine, overrides)
        trial = check_functions(
            scenario,
            file,
            calls=call and scenario.trial_call,
            notify=lambda text: show(text, as_json=as_json),
        )
        servers = answering_servers(scenario, settings_with(None))
    open_levels = [arrivals.label for arrivals in scenario.arrivals]
    stages = {one.label: one.concurrency for one in measured(scenario.stages)}
    named = {one.label: one.concurrency for one in scenario.levels}
    levels = ", ".join([*map(str, scenario.concurrency), *named, *open_levels, *stages])
    processes = processes_of(scenario, machine)
    bounds = {mode: largest_level(machine, processes, mode) for mode in SLOT_IS}
    title = scenario.title or scenario.name
    soak = scenario.endurance
    load = f"levels {levels}" if soak is None else soak.offered
    lines = [f"{file}: good ({title}; {load})"]
    lines += fit_lines(scenario, bounds, explain=explain)
    lines += fault_lines(scenario)
    lines += request_lines(scenario)
    lines += [
        f"{one.service}: {one.facts.product} {one.facts.version} at {one.redacted_url} answers"
        for one in servers
    ]
    if explain or not trial.called:
        lines += [f"{one}: found, and of the form that the target calls" for one in trial.good]
    lines += [*trial.called, *trial.warnings, *trial.not_tried, *trial.hidden]
    lines += environment_lines(scenario)
    show_wrapped(lines, as_json=as_json)
    answer(
        {
            "file": file,
            "problems": [],
            "functions": list(trial.good),
            "called": list(trial.called),
            "warnings": list(trial.warnings),
            "not_tried": list(trial.not_tried),
            "servers": [asdict(server.record()) for server in servers],
            "hidden": list(trial.hidden),
            "environment": scenario.variables.stored(),
            "passed": list(scenario.variables.passed),
            "levels": list(scenario.concurrency),
            "named_levels": named,
            "faults": [asdict(window) for window in scenario.faults],
            "open_levels": open_levels,
            "stages": stages,
            "largest_level": bounds[mode_of(scenario.target)].level,
            "largest_levels": {mode: bound.level for mode, bound in bounds.items()},
        },
        as_json=as_json,
    )


def check_functions(
    scenario: Scenario,
    file: str,
    *,
    calls: bool = False,
    notify: Callable[[str], None] = lambda _text: None,
) -> FunctionTrial:
    """Try the user's own functions wherever an environment is there; none is made.

    Args:
        scenario: The scenario.
        file: What messages call it.
        calls: Call them too, if their servers run.
        notify: Called with a line before something is called.

    Raises:
        ScenarioError: One cannot be called, or every call of it raised.
    """
    settings = settings_with(None)
    cache, given = settings.cache_dir, scenario.interpreter
    pythons: dict[str, Path | None] = {}
    for target in function_targets(scenario):
        interpreter = Path(given) if given and target == scenario.target else None
        found = find_environment(parse_target(target), cache_dir=cache, interpreter=interpreter)
        pythons[target] = found.python if found else None
    servers = servers_that_run(scenario, settings) if calls and scenario.servers else None
    trial = try_functions(scenario, pythons, servers=servers, calls=calls, notify=notify)
    trial.refuse_wrong(file)
    return trial


def scenarios(as_json: AsJson = False, results: NoResults = None) -> None:  # noqa: ARG001, FBT002
    """List the scenarios that come with perf_pipeline."""
    known = list_scenarios()
    for name, title in known.items():
        show(f"{name:12} {title}", as_json=as_json)
    answer({"scenarios": known}, as_json=as_json)


def records(run: RunName = None, results: Results = None, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Count the records of a run by outcome and error class, with up to three texts a class.

    Runs that were killed or are still going on are counted too.
    """
    with bad_input_explained(as_json=as_json):
        folder = found_run(run, results)
        with damage_named(folder):
            counted = count_records(folder)
    show(f"run {counted['run_id']}: {counted['status']}", as_json=as_json)
    for level in counted["levels"]:
        outcomes = ", ".join(f"{name} {n}" for name, n in level["outcomes"].items() if n)
        median = level["in_flight_median"]
        show(
            f"  {level['label']}: {outcomes or 'no records'}; in flight, median: "
            f"{'not measured' if median is None else format(median, 'g')}",
            as_json=as_json,
        )
        for line in _error_lines(level):
            show(line, as_json=as_json)
    for line in _missing_lines(counted):
        show(line, as_json=as_json)
    answer(counted, as_json=as_json)


def _error_lines(level: dict[str, Any]) -> list[str]:
    """Return a line for each error class of a level, most frequent first, and for its texts."""
    lines = []
    for name, count in sorted(level["error_classes"].items(), key=lambda row: (-row[1], row[0])):
        texts = level["error_examples"].get(name, ())
        lines += [f"    {name} {count}", *(f"      {visible(text)}" for text in texts)]
        if not texts:
            lines.append("      no text was stored")
    return lines


def _missing_lines(counted: dict[str, Any]) -> list[str]:
    """Return a line on workflows that are not in the counts, if there are any."""
    if counted["pruned_at"]:
        return [
            f"  counts are from its metrics; its records: {pruned_sentence(counted['pruned_at'])}"
        ]
    if counted["status"] in MAY_GO_ON:
        return ["  the run is still going on: the last half second is not counted yet"]
    if not counted["recovered"]:
        return []
    missing = f"{counted['may_be_missing']} workflows were started whose records were lost"
    return [f"  recovered from the journals of killed worker processes; {missing}"]


def count_records(folder: RunFolder) -> dict[str, Any]:
    """Count a run's records by level, outcome and error class.

    Raises:
        RunFolderError: The folder does not hold a run, or a file of it cannot be read.
    """
    status = folder.read_status()
    outcomes: Counter[str] = Counter({outcome.name.lower(): 0 for outcome in Outcome})
    classes: Counter[str] = Counter()
    levels, recovered, missing = [], False, 0
    measured = metrics_of(folder).levels if folder.manifest.exists() else ()
    kinds = len(read_manifest(folder).kinds) if measured else 0
    for path, level in zip(folder.level_folders(), measured, strict=True):
        left = None if pruned_at(path) else read_level(path, kinds)
        outcomes.update(level.outcomes)
        classes.update(level.error_classes)
        # While the run goes on, they are in flight.
        cut_off = bool(left and left.recovered) and status["status"] not in MAY_GO_ON
        lost = left.may_be_missing if left and cut_off else 0
        recovered = recovered or cut_off
        missing += lost
        levels.append(
            {
                "label": level.label,
                "concurrency": level.concurrency,
                "validity": level.validity,
                "outcomes": level.outcomes,
                "error_classes": {name: n for name, n in level.error_classes.items() if n},
                "error_examples": {
                    name: texts[:TEXTS_A_CLASS] for name, texts in level.error_examples.items()
                },
                "in_flight_median": level.in_flight.median,
                "recovered": cut_off,
                "may_be_missing": lost,
            }
        )
    return {
        "run_id": folder.run_id,
        "folder": str(folder.root),
        "status": status["status"],
        "pruned_at": run_pruned_at(folder),
        "outcomes": dict(outcomes),
        "error_classes": {c.name.lower(): classes[c.name.lower()] for c in ErrorClass if c},
        "in_flight_median": {level["label"]: level["in_flight_median"] for level in levels},
        "recovered": recovered,
        "may_be_missing": missing,
        "levels": levels,
    }


def report(
    run: RunName = None,
    results: Results = None,
    as_json: AsJson = False,  # noqa: FBT002
    explain: Explain = False,  # noqa: FBT002
) -> None:
    """Write the report of a run anew, from its metrics, and print its path.

    A run whose metrics were never written, because it was killed, is measured first; an endurance
    campaign (endurance-ID) is judged again.
    """
    with bad_input_explained(as_json=as_json):
        campaign = campaign_named(run, settings_with(results).results_dir)
        if campaign is not None:
            from perf_pipeline.cli.endurance.campaign_outcome import (  # noqa: PLC0415 - scipy
                report_campaign,
            )

            report_campaign(campaign, as_json=as_json)
            return
        folder = found_run(run, results)
        with damage_named(folder):
            metrics = metrics_of(folder)
            files = write_files(folder, metrics)
            found = report_capacity(folder, metrics) if metrics.manifest.capacity else None
            show_summary(metrics, as_json=as_json, explain=explain)
    show_report(files.html, as_json=as_json)
    at = run_pruned_at(folder)
    if at:
        show(f"its records: {pruned_sentence(at)}", as_json=as_json)
    if found:
        width = line_width(as_json=as_json)
        for line in capacity_lines(found.finding, width, explain=explain):
            show(line, as_json=as_json)
        show(f"capacity: {found.page}", as_json=as_json)
    answer(
        {
            "run_id": folder.run_id,
            "folder": str(folder.root),
            "report": str(files.html),
            **({"capacity": str(found.page)} if found else {}),
            "markdown": str(files.markdown),
            "pruned_at": at,
            "validity": metrics.validity,
            "reasons": list(metrics.reasons),
        },
        as_json=as_json,
    )
