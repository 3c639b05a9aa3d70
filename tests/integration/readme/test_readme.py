"""Every command, scenario, form and snippet of the README is run, or checked as far as it is cheap.

Those of minutes are checked up to where they would begin, and run by ``make test-long``.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from assets.definitions import defs
from perf_pipeline.cli.app import call
from perf_pipeline.config.settings import read_settings, variables
from perf_pipeline.exit_code import Exit
from perf_pipeline.metrics.validity import WORST_FIRST
from tests.integration.readme.readme import README, blocks, commands
from tests.sandbox import BIN, ROOT, Sandbox, last_object

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.integration

TOGETHER = (  # after the run of my.toml, one after the other, as they stand there
    "perf-pipeline check my.toml",
    "perf-pipeline scenarios",
    "perf-pipeline records latest",
    "perf-pipeline histograms",
    "perf-pipeline report latest",
    "perf-pipeline doctor",
    "perf-pipeline alerts",
    "perf-pipeline selftest",
)
MY_RUN = "perf-pipeline run my.toml --target control --seed 7 --json"
BEGUN = (  # minutes each: their options are checked, and the slow test lets each begin
    "perf-pipeline run baseline --concurrency 10 50 --duration 5s",
    "perf-pipeline run baseline --gate production",
    'perf-pipeline run baseline --slo "p95 < 800ms" --slo "error_ratio < 1%"',
    "perf-pipeline run baseline --rate 10 30 --slots 200",
    "perf-pipeline run baseline --concurrency 1000 --think-time 2",
    "perf-pipeline run baseline --stage 10:30s --stage 50:1m --stage 0:10s",
    "perf-pipeline run baseline --repeats 5 --order shuffled",
    "perf-pipeline run baseline --target kailash==2.19.0",
    "perf-pipeline run baseline --setting enable_monitoring=true --memory-limit-mb 2000",
    "perf-pipeline ab baseline --b kailash+pandas --concurrency 10 --duration 10",
    "perf-pipeline run stress --max-concurrency 3000",
    "perf-pipeline run database",
    'perf-pipeline capacity baseline --slo "p99 < 5s"',
    'perf-pipeline capacity my.toml --slo "p99 < 500ms" --of rate',
)
DAGSTER = (
    ".venv/bin/dagster job execute -m assets.definitions -j scenario -c run.json",
    ".venv/bin/dagster asset materialize --select '*' -m assets.definitions -c run.json",
    ".venv/bin/dagster asset materialize --select 'run_metrics+' -m assets.definitions",
    ".venv/bin/dagster job execute -m assets.definitions -j infrastructure_up",
    ".venv/bin/dagster job execute -m assets.definitions -j clearing",
)
MADE = {
    "make baseline": "perf-pipeline run baseline",
    "make test": "python -m tests.suite",
    "make ui": "-m assets.ui",
    "make test-endurance": "--scenario endurance --duration 1",
}
"""What ``make`` would start; a test that ran ``make test`` would run itself."""
STACK = {
    "make setup": "env_file",
    'make start STACK=1 PROFILES="databases dagster"': "--stack --profile=databases",
    'make start PROFILES="databases dagster generators"': "--profile=generators",
    "make status": "perf-pipeline status",
    "make logs SERVICE=postgres": "postgres",
    "make stop": "perf-pipeline stop",
    "make host-setup": "infra/dagster/deploy.lock",
    "make load-host HOST=gen-b": 'perf-pipeline host "gen-b"',
}
"""What ``make`` would start on a machine with Docker, or on several hosts; ``make test-docker`` and
tests/integration/shards do it for real."""
JOB = ".venv/bin/dagster job execute -m assets.definitions -j baseline"
ACTIVATE = "source .venv/bin/activate"
ELSEWHERE = {
    "perf-pipeline run endurance --duration 24": (
        "tests/assets/endurance/test_gapless.py::"
        "test_the_hours_follow_without_a_gap_and_each_is_a_partition"
    ),
    "perf-pipeline run endurance --duration 24 --hour-seconds 60": (
        "tests/assets/endurance/test_gapless.py::"
        "test_the_hours_follow_without_a_gap_and_each_is_a_partition"
    ),
    "perf-pipeline start; perf-pipeline status; perf-pipeline stop": (
        "tests/integration/commands/test_cli.py::test_servers_stay_from_start_to_stop"
    ),
    "perf-pipeline compare pinned:stable latest": (
        "tests/unit/cli/regression/test_compare.py::test_the_latest_run_is_compared_with_a_pinned_one"
    ),
    "perf-pipeline detect history.jsonl": (
        "tests/unit/cli/regression/test_detect.py::test_people_read_the_level_the_ratio_and_the_tier"
    ),
    "perf-pipeline leaks signals.jsonl": (
        "tests/unit/cli/endurance/test_leaks.py::test_people_read_verdict_growth_and_limit"
    ),
    "perf-pipeline bisect kailash --good 2.17.0 --bad 2.65.0": (
        "tests/integration/releases/test_bisect.py::"
        "test_kailash_2_18_0_is_named_as_published_and_its_dependencies_as_the_cause"
    ),
    "perf-pipeline run my.toml --shards 2": (
        "tests/integration/shards/test_two_shards.py::"
        "test_the_command_plays_two_shards_and_reports_one_run"
    ),
    "perf-pipeline run my.toml --hosts gen-a gen-b --image perf-pipeline:dev": (
        "tests/docker/test_containers_of_hosts.py::"
        "test_each_shard_is_played_in_a_fresh_container_and_both_start_together"
    ),
    "perf-pipeline releases": (
        "tests/integration/releases/test_bisect.py::"
        "test_releases_become_partitions_and_say_what_was_measured"
    ),
}
UNWRITABLE = "/dev/null/results"


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    made = Sandbox(tmp_path)
    made.environ["PYTHONPATH"] = str(ROOT)
    made.scenario("my")
    (form,) = blocks("json")
    (tmp_path / "run.json").write_text(form, encoding="utf-8")
    yield made
    made.close()


def snippet(words: str) -> str:
    """Return the only piece of Python with these words."""
    (found,) = [body for body in blocks("python") if words in body]
    return found


def words_of(line: str) -> list[str]:
    """Split a line as the shell does; programs are those of the environment under test."""
    program, *rest = shlex.split(line)
    return [str(BIN / Path(program).name), *rest]


def test_no_command_stands_in_the_readme_that_no_test_runs() -> None:
    known = {*TOGETHER, MY_RUN, *BEGUN, *DAGSTER, *MADE, *STACK, JOB, ACTIVATE, *ELSEWHERE}
    assert set(commands()) == known
    for test in ELSEWHERE.values():
        file, name = test.split("::")
        assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("line", [*MADE, *STACK])
def test_make_would_start_what_the_readme_says(line: str, sandbox: Sandbox) -> None:
    told = sandbox.run("make", "-n", "-o", ".venv/ready", *shlex.split(line)[1:])
    assert (told.returncode, told.stderr) == (0, "")
    assert (MADE | STACK)[line] in told.stdout


def test_the_environment_has_the_command_once_it_is_activated(sandbox: Sandbox) -> None:
    (sandbox.folder / ".venv").symlink_to(BIN.parent)
    script = f"{ACTIVATE} && perf-pipeline --version"
    told = sandbox.run("bash", "-c", script, cwd=sandbox.folder)
    assert told.stdout.startswith("perf-pipeline "), told.stderr


@pytest.mark.parametrize("line", BEGUN)
def test_a_command_of_minutes_is_sound_up_to_where_it_would_begin(
    line: str,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Scenario, options, their values and the servers are checked before the results folder is.

    Results that cannot be written are thus the only thing that is wrong with it.
    """
    monkeypatch.chdir(sandbox.folder)
    assert call([*shlex.split(line)[1:], "--results", UNWRITABLE]) == Exit.BAD_INPUT
    said = "".join(capsys.readouterr())
    assert f"no results can be written to {UNWRITABLE}" in " ".join(said.split())


def test_the_cheap_commands_work_one_after_the_other(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those after the run in this process, which has imported already what they need."""
    run = sandbox.run(*words_of(MY_RUN), cwd=sandbox.folder)
    assert last_object(run.stdout)["validity"] in WORST_FIRST, run.stderr
    sandbox.enter(monkeypatch)
    for line in TOGETHER:
        code, told = call(shlex.split(line)[1:]), capsys.readouterr()
        assert code == 0, (line, told)
        assert told.out.strip(), line
    throughput, latency, severity, verdict = _analysed(sandbox).split()
    assert 0 < float(throughput.strip("[]")) > 1 / float(latency.strip("[]"))
    assert (severity, verdict) == ("none", "unstable")  # one run a side rules no change of 5 % out


def _analysed(sandbox: Sandbox) -> str:
    """Run the analysis of result files on the one that a run has left; returns what it prints."""
    (result,) = sandbox.results.glob("my_4_*.json")
    (sandbox.folder / "results").mkdir()
    shutil.copy(result, sandbox.folder / "results/baseline_100_20241201_120000.json")
    snippets = [snippet("json.load"), snippet("analyze_performance_regression")]
    told = sandbox.run(str(BIN / "python"), "-c", "\n".join(snippets), cwd=sandbox.folder)
    assert told.returncode == 0, told.stderr
    return told.stdout


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("line", BEGUN)
def test_a_command_of_minutes_begins_to_measure_and_can_be_ended(
    sandbox: Sandbox, line: str
) -> None:
    log = sandbox.folder / "out"
    process = sandbox.start(*words_of(line), log=log, cwd=sandbox.folder)
    folder = sandbox.wait_until_steady(process, 0)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=120) == 130, log.read_text(encoding="utf-8")
    assert sandbox.own_record(folder)["status"] == "interrupted"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_job_begins_to_measure_and_can_be_ended(sandbox: Sandbox) -> None:
    process = sandbox.start(*words_of(JOB), log=sandbox.folder / "out", cwd=sandbox.folder)
    folder = sandbox.wait_until_steady(process, 0)
    process.send_signal(signal.SIGINT)
    process.wait(timeout=120)
    assert sandbox.own_record(folder)["status"] == "interrupted"


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_make_baseline_measures_the_levels_that_are_asked_for(sandbox: Sandbox) -> None:
    line = 'make baseline LEVELS="10 50"'
    assert f"`{line}`" in " ".join(README.split())
    command = [*shlex.split(line), "-o", ".venv/ready", f"RESULTS={sandbox.results}"]
    told = sandbox.run(*command)
    assert told.returncode == 0, told.stderr
    levels = _metrics(sandbox)["levels"]
    assert [level["label"] for level in levels] == ["10", "50", "lean", "control"]
    (folder,) = sandbox.run_folders()
    assert f"report: {folder}/report.html" in told.stdout + told.stderr


def _metrics(sandbox: Sandbox) -> dict[str, Any]:
    """Return what the only run has measured."""
    (folder,) = sandbox.run_folders()
    metrics: dict[str, Any] = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    return metrics


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_runtime_of_ones_own_is_measured_as_the_readme_says(sandbox: Sandbox) -> None:
    (scenario,) = [body for body in blocks("toml") if "shop:order" in body]
    (sandbox.folder / "shop.py").write_text(snippet("def order"), encoding="utf-8")
    (sandbox.folder / "shop.toml").write_text(scenario, encoding="utf-8")
    (line,) = re.findall(r"then: (perf-pipeline .*)", scenario)
    run = sandbox.run(*words_of(f"{line} --json"), cwd=sandbox.folder)
    assert run.returncode == 0, run.stderr
    assert last_object(run.stdout)["validity"] == "valid"
    (level,) = _metrics(sandbox)["levels"]
    assert level["outcomes"]["error"] == 0
    assert 500 < level["throughput_per_s"] <= 5000  # 50 slots of 10 ms


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_scenario_is_run_from_python_as_the_readme_says(sandbox: Sandbox) -> None:
    """Three load levels: 10 in flight and the two arms; their records are counted by outcome."""
    code = snippet("run_scenario")
    ran = sandbox.run(str(BIN / "python"), "-c", code, cwd=sandbox.folder)
    assert ran.returncode == 0, ran.stderr
    *levels, report = ran.stdout.split("shape:")[0].splitlines()
    assert [line.split()[0] for line in levels] == ["10", "lean", "control"]
    for line in levels:
        throughput, average, validity = line.split()[1:]
        assert 0 < float(throughput) > 1 / float(average)
        assert validity in WORST_FIRST
    assert Path(report).parent == sandbox.run_folders()[-1]
    assert "outcome" in ran.stdout  # the head of the counted records


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_classes_of_the_old_framework_measure_as_the_readme_says(sandbox: Sandbox) -> None:
    code = snippet("execute_concurrent_workflows")
    told = sandbox.run(str(BIN / "python"), "-c", code, cwd=sandbox.folder)
    assert told.returncode == 0, told.stderr
    figures, report = told.stdout.splitlines()
    throughput, latency, validity = figures.split()
    assert 0 < float(throughput) > 1 / float(latency)
    assert validity in WORST_FIRST
    assert "100" in Path(report).read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_dagster_materializes_without_the_ui(sandbox: Sandbox) -> None:
    for line in (*DAGSTER, DAGSTER[3].replace("_up", "_down")):
        ended = sandbox.run(*words_of(line), merged=True, cwd=sandbox.folder)
        assert ended.returncode == 0, (line, ended.stdout[-3000:])
        if "'*'" in line:
            assert "Materialized value load_run" in ended.stdout
            assert "Asset check 'validity' on 'run_metrics'" in ended.stdout
            assert "Materialized value run_report" in ended.stdout


def test_the_form_is_one_that_the_jobs_take() -> None:
    (form,) = blocks("json")
    job = defs.resolve_job_def("scenario")
    assert dg.validate_run_config(job, json.loads(form))
    named = set(re.findall(r"-j (\w+)", README)) | {"stress", "infrastructure_down", "capacity"}
    for name in named:
        assert defs.resolve_job_def(name).name == name


@pytest.mark.parametrize("body", blocks("toml"), ids=lambda body: body.splitlines()[0][:30])
def test_every_scenario_is_sound(
    sandbox: Sandbox, body: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is only a part of a scenario is completed, levels and phases included."""
    shop = next(block for block in blocks("python") if "def order" in block)
    (sandbox.folder / "shop.py").write_text(shop, encoding="utf-8")
    sandbox.environ["SHOP_TOKEN"] = "passed through"
    text = body
    if "[[workload]]" not in body and "[[requests]]" not in body:
        text = '[[workload]]\nfamily = "analytics"\ncomplexity = "simple"\n\n' + body
        is_closed = "[[arrivals]]" not in body and "[endurance]" not in body
        text = "concurrency = [50]\n" * is_closed + text
    if body.startswith("slo ="):
        text = body + text.replace(body, "")
    file = sandbox.folder / "part.toml"
    file.write_text(text, encoding="utf-8")
    sandbox.enter(monkeypatch)
    assert call(["check", str(file)]) == Exit.COMPLETE, (text, capsys.readouterr())


def test_settings_of_the_readme_are_read() -> None:
    """A name like a setting's that is none is refused."""
    named = set(re.findall(r"PERF_PIPELINE_\w+[A-Z]", README)) - {"PERF_PIPELINE_CONNECTIONS"}
    composed = (ROOT / "infra/compose.yaml").read_text(encoding="utf-8")
    named -= set(re.findall(r"\$\{(PERF_PIPELINE_\w+)", composed)) - set(variables())
    assert named == set(variables())
    values = dict.fromkeys(named, "")
    read_settings({"HOME": "/nonexistent", **values})
    urls = dict(
        line[7:].split("=", 1) for line in README.splitlines() if line.startswith("export ")
    )
    assert set(read_settings({**urls, "HOME": "/nonexistent"}).urls) == {
        "postgres",
        "redis",
        "mysql",
        "mongodb",
    }
