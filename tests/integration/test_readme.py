"""The README keeps its word: every command, scenario, form and snippet of it is run or checked."""

from __future__ import annotations

import json
import re
import shlex
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from assets.definitions import defs
from perf_pipeline.cli import call
from perf_pipeline.config.settings import read_settings
from perf_pipeline.metrics.validity import WORST_FIRST
from perf_pipeline.selftest.registry import selftests
from tests.sandbox import BIN, ROOT, Sandbox, last_object

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.integration

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", README, re.DOTALL | re.MULTILINE)

TOGETHER = (  # after the run of my.toml, one after the other, as they stand there
    "perf-pipeline check my.toml",
    "perf-pipeline scenarios",
    "perf-pipeline records latest",
    "perf-pipeline histograms",
    "perf-pipeline report latest",
    "perf-pipeline doctor",
    "perf-pipeline selftest",
)
MY_RUN = "perf-pipeline run my.toml --target control --seed 7 --json"
BEGUN = (  # minutes each: their options are checked, and the slow test lets each begin
    "perf-pipeline run baseline --concurrency 10 50 --duration 5",
    "perf-pipeline run baseline --gate production",
    'perf-pipeline run baseline --slo "p99_s < 5" --slo "error_ratio <= 0.01"',
    "perf-pipeline run baseline --rate 10 30 --slots 200",
    "perf-pipeline run baseline --repeats 5 --order shuffled",
    "perf-pipeline run baseline --target kailash==2.19.0",
    "perf-pipeline run baseline --setting enable_monitoring=true --memory-limit-mb 2000",
    "perf-pipeline run baseline --concurrency 100 --duration 10 --target kailash",
    "perf-pipeline run baseline --concurrency 100 --duration 10 --target kailash+pandas",
    "perf-pipeline run stress --max-concurrency 3000",
    'perf-pipeline capacity baseline --slo "p99_s < 5"',
    'perf-pipeline capacity my.toml --slo "p99_s < 0.5" --of rate',
)
DAGSTER = (
    ".venv/bin/dagster job execute -m assets.definitions -j scenario -c run.json",
    ".venv/bin/dagster asset materialize --select '*' -m assets.definitions -c run.json",
    ".venv/bin/dagster asset materialize --select 'run_metrics+' -m assets.definitions",
    ".venv/bin/dagster job execute -m assets.definitions -j infrastructure_up",
    ".venv/bin/dagster job execute -m assets.definitions -j clearing",
)
ELSEWHERE = {
    "make baseline": "tests/unit/test_makefile.py; .ci/run and whoever closes an issue run it",
    "make test": "this is it",
    "make ui": "tests/ui, tests/assets/test_ui.py",
    "source .venv/bin/activate": "the shell's",
    "perf-pipeline start; perf-pipeline status; perf-pipeline stop": "test_standing_servers.py",
    ".venv/bin/dagster job execute -m assets.definitions -j baseline": "tests/assets/test_jobs.py",
}


def commands() -> list[str]:
    """Return the lines of all shell blocks, without their comments."""
    lines = [line for language, body in BLOCKS if language == "bash" for line in body.splitlines()]
    stripped = [re.sub(r"\s+#\s.*", "", line).strip() for line in lines]
    return [line for line in stripped if line and not line.startswith("export ")]


def blocks(language: str) -> list[str]:
    return [body for found, body in BLOCKS if found == language]


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    made = Sandbox(tmp_path)
    made.environ["PYTHONPATH"] = str(ROOT)
    made.scenario("my")
    (form,) = blocks("json")
    (tmp_path / "run.json").write_text(form, encoding="utf-8")
    yield made
    made.close()


def words_of(line: str) -> list[str]:
    """Split a line as the shell does; programs are those of the environment under test."""
    program, *rest = shlex.split(line)
    return [str(BIN / Path(program).name), *rest]


def test_no_command_stands_in_the_readme_that_no_test_runs() -> None:
    known = {*TOGETHER, MY_RUN, *BEGUN, *DAGSTER, *ELSEWHERE}
    assert set(commands()) == known


@pytest.mark.parametrize("line", BEGUN)
def test_a_command_of_minutes_has_only_options_that_exist(line: str) -> None:
    assert call([*shlex.split(line)[1:], "--help"]) == 0


def test_the_cheap_commands_work_one_after_the_other(sandbox: Sandbox) -> None:
    run = sandbox.run(*words_of(MY_RUN), cwd=sandbox.folder)
    assert last_object(run.stdout)["validity"] in WORST_FIRST, run.stderr
    for line in TOGETHER:
        ended = sandbox.run(*words_of(line), cwd=sandbox.folder)
        assert ended.returncode == 0, (line, ended.stdout, ended.stderr)
        assert ended.stdout.strip(), line


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
def test_dagster_materializes_without_the_ui(sandbox: Sandbox) -> None:
    (told,) = [body for body in blocks("") if "ASSET_MATERIALIZATION" in body]
    for line in DAGSTER:
        ended = sandbox.run(*words_of(line), merged=True, cwd=sandbox.folder)
        assert ended.returncode == 0, (line, ended.stdout[-3000:])
        if "'*'" in line:
            for shown in told.splitlines():
                assert re.sub(r".* - ", "", shown).split(".")[0].split(",")[0] in ended.stdout


def test_the_form_is_one_that_the_jobs_take() -> None:
    (form,) = blocks("json")
    job = defs.resolve_job_def("scenario")
    assert dg.validate_run_config(job, json.loads(form))
    named = set(re.findall(r"-j (\w+)", README)) | {"stress", "infrastructure_down", "capacity"}
    for name in named:
        assert defs.resolve_job_def(name).name == name


@pytest.mark.parametrize("body", blocks("toml"), ids=lambda body: body.splitlines()[0][:30])
def test_every_scenario_is_sound(sandbox: Sandbox, body: str) -> None:
    """What is only a part of a scenario is completed, levels and phases included."""
    shop = next(block for block in blocks("python") if "def order" in block)
    (sandbox.folder / "shop.py").write_text(shop, encoding="utf-8")
    text = body
    if "[[workload]]" not in body:
        text = '[[workload]]\nfamily = "analytics"\ncomplexity = "simple"\n\n' + body
        text = "concurrency = [50]\n" * ("[[arrivals]]" not in body) + text
    if body.startswith("slo ="):
        text = body + text.replace(body, "")
    file = sandbox.folder / "part.toml"
    file.write_text(text, encoding="utf-8")
    checked = sandbox.cli("check", str(file))
    assert checked.returncode == 0, (text, checked.stdout, checked.stderr)


def test_every_snippet_is_python_of_ours() -> None:
    """Those of result files and classes run in test_old_snippets.py."""
    for body in blocks("python"):
        compile(body, "README.md", "exec")
        for names in re.findall(r"from perf_pipeline import (.*)", body):
            namespace: dict[str, object] = {}
            exec(f"from perf_pipeline import {names}", namespace)  # noqa: S102 as users write it
            assert set(names.split(", ")) <= set(namespace)


def test_settings_of_the_readme_are_read() -> None:
    """A name like a setting's that is none is refused."""
    named = set(re.findall(r"PERF_PIPELINE_\w+[A-Z]", README)) - {"PERF_PIPELINE_CONNECTIONS"}
    assert "PERF_PIPELINE_NOISE" in named
    values = dict.fromkeys(named, "")
    read_settings({"HOME": "/nonexistent", **values})
    urls = dict(line[7:].split("=", 1) for line in README.splitlines() if line.startswith("export"))
    assert set(read_settings({**urls, "HOME": "/nonexistent"}).urls) == {
        "postgres",
        "redis",
        "mysql",
        "mongodb",
    }


def test_words_of_verdicts_and_names_are_those_of_the_code() -> None:
    table = {
        name for row in re.findall(r"^\| (.*?) \|", README, re.MULTILINE) for name in _quoted(row)
    }
    assert set(WORST_FIRST) <= table
    assert set(selftests()) <= table
    checks = {key.name for key in defs.get_repository_def().asset_checks_defs_by_key}
    told = re.search(r"Asset checks \((.*?)\)", README, re.DOTALL)
    assert told
    assert set(_quoted(told[1])) == checks
    automation = README[README.index("Under *Automation*") :].split("\n\n")[0]
    repository = defs.get_repository_def()
    assert set(_quoted(automation)) == {
        *(schedule.name for schedule in repository.schedule_defs),
        *(sensor.name for sensor in repository.sensor_defs),
    }


def _quoted(text: str) -> list[str]:
    return re.findall(r"`([\w ]+)`", text)


def test_files_and_targets_that_are_named_exist() -> None:
    for path in re.findall(r"`((?:perf_pipeline|assets|tests|infra)/[\w./*]*)`", README):
        assert list(ROOT.glob(path.rstrip("/"))), path
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"(?:`|^)make ([a-z][a-z-]+[a-z])", README, re.MULTILINE))
    for target in named:
        assert re.search(rf"^{re.escape(target)}[\w -]*:", makefile, re.MULTILINE), target
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", README):
        assert (ROOT / picture).stat().st_size < 300_000
        assert picture in makefile, f"no command makes {picture}"
