"""Every make target that users know is there, is listed, and starts what it says.

The environment is never made here (``-o``): others may be running from it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.sandbox import until

ROOT = Path(__file__).resolve().parents[2]
LOAD = "perf_pipeline --results-dir"

STARTS = {
    "setup": "",
    "start": "perf-pipeline start",
    "images": "stack.images",
    "stop": "perf-pipeline stop",
    "status": "perf-pipeline status",
    "healthcheck": "--gate",
    "clean": "perf-pipeline stop --volumes",
    "ci-validate": "--concurrency 10 --verify-only",
    "ci-test": "--scenario baseline --concurrency 25 50",
    "test-quick": "--scenario baseline --concurrency 25 50 --accept-verdicts",
    "test-baseline": "--scenario baseline --concurrency 100 500 1000 --accept-verdicts",
    "test-stress": "--scenario stress --concurrency 1000 1500 2000",
    "test-database": "--scenario database",
    "test-endurance": "--scenario endurance --duration 1",
    "test-endurance-24h": "--scenario endurance --duration 24",
    "test-full": "--scenario full --max-concurrency 1500",
    "test-regression": '--scenario regression --baseline "b.json"',
    "report": "comprehensive_report",
    "logs": "perf-pipeline logs",
    "dashboard": 'perf-pipeline dashboard --results "results"',
    "test-docker": "tests/docker",
    "export-results": "archive export",
    "import-results": 'archive import "a.tar.gz"',
    "dev-setup": "perf-pipeline start",
    "dev-test": "--scenario baseline --concurrency 10",
    "monitor-resources": "monitor_resources",
    "example-ci": "ci-test",
    "example-development": "dev-test",
    "example-release": "export-results",
    "help-baseline": "100, 500 and 1000",
    "help-stress": "1000, 1500 and 2000",
    "help-endurance": "hours of constant load",
}


def make(*words: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "-o", ".venv/ready", "--no-print-directory", *words]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def test_every_known_target_is_listed_and_starts_what_it_says() -> None:
    listed = make("help").stdout
    for target, words in STARTS.items():
        told = make("-n", target, "BASELINE=b.json", "ARCHIVE=a.tar.gz")
        assert told.returncode == 0, told.stderr
        assert words in told.stdout, target
        assert f"  {target} " in listed


_UV = """#!/bin/sh
[ "$1" = venv ] || exit 0
[ -e .venv ] && exit 1
echo made >> made.log
mkdir -p .venv/bin
until [ -e go ]; do sleep 0.05; done
printf '#!/bin/sh\\n' > .venv/bin/python
cp .venv/bin/python .venv/bin/perf-pipeline
chmod +x .venv/bin/python
"""
"""A uv that installs nothing, once it may go on."""


def test_two_makes_that_set_up_at_once_install_once(tmp_path: Path) -> None:
    """The one that comes second says that it waits."""
    for file in ("Makefile", "perf_pipeline/loadgen/environment/package_index.py"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    for file in ("requirements.lock", "requirements-test.lock", "pyproject.toml"):
        (tmp_path / file).touch()
    uv = tmp_path / "bin/uv"
    uv.parent.mkdir()
    uv.write_text(_UV, encoding="utf-8")
    uv.chmod(0o755)
    environ = {**os.environ, "PATH": f"{uv.parent}:{os.environ['PATH']}"}
    for name in [name for name in environ if name.startswith("MAKE") or name == "MFLAGS"]:
        del environ[name]

    def begin(target: str) -> subprocess.Popen[str]:
        command = ["make", "--no-print-directory", target]
        out = subprocess.PIPE
        return subprocess.Popen(
            command, cwd=tmp_path, env=environ, stdout=out, stderr=subprocess.STDOUT, text=True
        )

    with begin("setup") as first:
        assert until((tmp_path / "made.log").exists)
        with begin("setup-test") as second:
            assert second.stdout is not None
            said = second.stdout.readline()
            (tmp_path / "go").touch()
            rest = second.communicate(timeout=60)[0], first.communicate(timeout=60)[0]

    assert said == "another make installs into .venv: waiting for it\n"
    assert (first.returncode, second.returncode) == (0, 0), rest
    assert (tmp_path / "made.log").read_text().splitlines() == ["made"]


def test_runs_go_where_the_user_keeps_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with every other command, unless make is told otherwise."""
    monkeypatch.delenv("PERF_PIPELINE_RESULTS", raising=False)
    assert '--results-dir "results"' in make("-n", "test-quick").stdout
    monkeypatch.setenv("PERF_PIPELINE_RESULTS", "/data/runs")
    assert '--results-dir "/data/runs"' in make("-n", "test-quick").stdout
    assert '--results-dir "other"' in make("-n", "test-quick", "RESULTS=other").stdout


def test_the_stack_is_started_when_asked_for() -> None:
    assert make("-n", "start", "STACK=1").stdout.strip().endswith("perf-pipeline start --stack")
    told = make("-n", "start", "PROFILES=databases logs").stdout
    assert told.strip().endswith("start --stack --profile=databases --profile=logs")


def test_the_log_of_one_server_is_asked_for_by_its_name() -> None:
    assert 'server_log "postgres"' in make("-n", "logs", "SERVICE=postgres").stdout


def test_levels_can_be_chosen() -> None:
    for target in ("test-baseline", "test-stress"):
        assert "--concurrency 10 20 " in make("-n", target, "LEVELS=10 20").stdout


@pytest.mark.parametrize("target", ["help-baseline", "help-stress", "help-endurance"])
def test_help_for_a_test_is_shown(target: str) -> None:
    told = make(target)
    assert (told.returncode, told.stderr) == (0, "")
    assert STARTS[target] in told.stdout


def test_what_needs_a_file_or_a_run_says_which(tmp_path: Path) -> None:
    here = f"RESULTS={tmp_path / 'none'}"
    for words, told in (
        (["-o", "mysql", "test-regression"], "BASELINE="),
        (["import-results"], "ARCHIVE="),
        (["monitor-resources"], "no run in "),
        (["export-results"], "nothing to export"),
    ):
        made = make(*words, here)
        assert made.returncode == 2
        assert told in made.stderr
