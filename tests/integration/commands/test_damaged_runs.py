"""Every reading command on a run that somebody has damaged: an answer or a sentence, never a trace.

A stored run is mutated: a value of one of its JSON files is replaced, removed or copied to another
place, or bytes of one of its files are changed, cut off or removed. The run beside it must be
listed whatever happened.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from perf_pipeline.analysis.history import read_history
from perf_pipeline.cli.app import call
from perf_pipeline.report.run.files import report_of
from tests.simulated_run import write_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.integration

GOOD, DAMAGED = "20260101_000000-aaaa", "20260102_000000-bbbb"
ODD: tuple[Any, ...] = (
    None, True, -1, 0, 2**63, 10**30, 1e308, -0.5, "", "x", "../../x", "\ud800", "\x1b[2J",
    [], [[]], {}, {"x": None}, "2099-01-01T00:00:00+00:00", "running", "99",
)  # fmt: skip
ODD_BYTES = (b"", b"\x00", b"\xff" * 40, b"{", b"[]", b"null", b'{"schema_version": 1}')


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results folder with two complete runs; the later one is for mutations."""
    results = tmp_path_factory.mktemp("damage") / "results"
    for run_id in (GOOD, DAMAGED):
        folder = write_run(results, run_id)
        report_of(folder, _metrics(folder))
    return results


def _metrics(folder: Any) -> Any:
    from perf_pipeline.analysis.stored_metrics import metrics_of  # noqa: PLC0415

    return metrics_of(folder)


@pytest.fixture
def results(stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for copies of the stored runs, as the current results folder."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("PERF_PIPELINE_RESULTS", str(tmp_path / "results"))
    monkeypatch.chdir(tmp_path)
    assert stored.is_dir()
    return tmp_path / "results"


def _places(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, below in items:
        yield (*here, key)
        if isinstance(below, dict | list):
            yield from _places(below, (*here, key))


def _mutated(document: Any, draw: Callable[[st.SearchStrategy[Any]], Any]) -> Any:
    path = draw(st.sampled_from(list(_places(document))))
    parent = document
    for key in path[:-1]:
        parent = parent[key]
    if draw(st.booleans()) and isinstance(parent, dict):
        del parent[path[-1]]
    else:
        parent[path[-1]] = draw(st.sampled_from(ODD))
    return document


def _container(content: bytes) -> Any:
    """Return a JSON document with values to change; None where an earlier damage left none."""
    try:
        document = json.loads(content)
    except ValueError:
        return None
    return document if isinstance(document, dict | list) else None


def damage(run: Path, draw: Callable[[st.SearchStrategy[Any]], Any]) -> str:
    """Change one file of a run; returns what was done."""
    files = sorted(path for path in run.rglob("*") if path.is_file())
    file = draw(st.sampled_from(files))
    content = file.read_bytes()
    if file.suffix == ".json" and draw(st.integers(0, 3)) and (document := _container(content)):
        file.write_text(json.dumps(_mutated(document, draw)))
        return f"a value of {file.relative_to(run)}"
    at = draw(st.integers(0, max(len(content) - 1, 0)))
    what = draw(st.sampled_from(("cut", "changed", "replaced", "removed", "folder")))
    if what == "cut":
        file.write_bytes(content[:at])
    elif what == "changed":
        file.write_bytes(content[:at] + b"\xa5\x00\x7f" + content[at + 3 :])
    elif what == "replaced":
        file.write_bytes(draw(st.sampled_from(ODD_BYTES)))
    else:
        file.unlink()
        if what == "folder":
            file.mkdir()
    return f"{file.relative_to(run)} {what}"


COMMANDS = (
    ("records",),
    ("report",),
    ("prune", "--keep", "90d", "--dry-run"),
    ("records", DAMAGED, "--json"),
    ("report", DAMAGED),
    ("histograms", DAMAGED),
    ("histograms", DAMAGED, GOOD, "--all-levels"),
)


def _check(
    stored: Path, results: Path, capsys: pytest.CaptureFixture[str], data: st.DataObject
) -> None:
    shutil.rmtree(results, ignore_errors=True)
    shutil.copytree(stored, results)
    done = [damage(results / DAMAGED, data.draw) for _ in range(data.draw(st.integers(1, 3)))]
    for command in COMMANDS:
        code = call(list(command))
        out, err = capsys.readouterr()
        assert code in (0, 2), (done, command, err)
        assert "Traceback" not in out + err, (done, command)
        assert code == 0 or err.strip(), (done, command)
    history = read_history(results)
    assert GOOD in {point.run_id for series in history.series for point in series.points}


SLOW_ON_PURPOSE = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@given(data=st.data())
@settings(max_examples=2, deadline=None, derandomize=True, suppress_health_check=SLOW_ON_PURPOSE)
def test_a_damaged_run_is_read_or_named_by_every_command(
    stored: Path, results: Path, capsys: pytest.CaptureFixture[str], data: st.DataObject
) -> None:
    """Exit code 0 or 2, the other run is listed, and no stack trace is printed."""
    _check(stored, results, capsys, data)


@pytest.mark.slow
@given(data=st.data())
@settings(
    max_examples=200,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=SLOW_ON_PURPOSE,
)
def test_so_are_two_hundred_others(
    stored: Path, results: Path, capsys: pytest.CaptureFixture[str], data: st.DataObject
) -> None:
    """Others each time; the seed is in the output of a failure."""
    _check(stored, results, capsys, data)
