import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import perf_pipeline.selftest
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.selftest import registry
from perf_pipeline.selftest.figure import Size
from perf_pipeline.selftest.registry import run_selftest, selftests

PLANTED = '''"""Seven is seven."""
from perf_pipeline.selftest.figure import Figure

def run(size, seed):
    seven = 7.0 if size == "ci" else 8.0
    return [Figure("seven", seven, "", 7.0), Figure("seed", seed, "", None)]
'''

NOTHING = '"""None."""\ndef run(size, seed):\n    return []\n'


@pytest.fixture(autouse=True)
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "planted_seven.py").write_text(PLANTED)
    (tmp_path / "planted_nothing.py").write_text(
        '"""None."""\ndef run(size, seed):\n    return []\n'
    )
    monkeypatch.setattr(perf_pipeline.selftest, "__path__", [str(tmp_path)])
    yield
    for name in ("planted_seven", "planted_nothing", "planted_noting"):
        sys.modules.pop(f"perf_pipeline.selftest.{name}", None)


def test_a_selftest_is_found_by_its_module_and_its_claim() -> None:
    assert selftests() == {"planted_nothing": "None.", "planted_seven": "Seven is seven."}


def test_one_figure_beyond_its_limit_fails_the_selftest() -> None:
    passed, failed = (run_selftest("planted_seven", size, 3).as_json() for size in Size)

    assert (passed["pass"], failed["pass"]) == (True, False)
    assert [figure["pass"] for figure in failed["figures"]] == [False, True]
    assert (failed["name"], failed["size"], failed["seed"]) == ("planted_seven", "full", 3)


def test_no_figure_is_no_proof() -> None:
    with pytest.raises(PerfPipelineError, match="gave no figure"):
        run_selftest("planted_nothing", Size.CI, 1)


def test_a_wrong_name_is_told_with_the_right_ones() -> None:
    with pytest.raises(PerfPipelineError, match="no selftest 'seven'; there are: planted_not"):
        run_selftest("seven", Size.CI, 1)


NOTING = """'''Noted.'''
from perf_pipeline.config.settings import PROJECT, current_settings
from perf_pipeline.report.report_places import ReportPlaces
from perf_pipeline.selftest.figure import Figure

def run(size, seed):
    ReportPlaces(current_settings().state_dir).note_folder(PROJECT)
    return [Figure("noted", 1.0, "", None)]
"""


def test_a_selftest_leaves_nothing_in_the_users_state_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "planted_noting.py").write_text(NOTING)
    users, temp = tmp_path / "state", tmp_path / "temp"
    temp.mkdir()
    monkeypatch.setenv("XDG_STATE_HOME", str(users))
    monkeypatch.setenv("TMPDIR", str(temp))

    run_selftest("planted_noting", Size.CI, 1)

    assert not users.exists()
    assert os.environ["XDG_STATE_HOME"] == str(users)
    assert list(temp.iterdir()) == []


LOCKING = """'''Locked.'''
import os
from perf_pipeline.host.load_lock import load_lock
from perf_pipeline.selftest.figure import Figure

%s

def run(size, seed):
    waited = []
    class Held(Exception): pass
    def sleep(_s): raise Held
    try:
        with load_lock(LOCK, "inner", waited.append, sleep):
            pass
    except Held:
        pass
    return [Figure(" ".join(waited) or "free", 1.0, "", 1.0)]
"""


@pytest.mark.parametrize("takes", [True, False])
def test_a_selftest_holds_the_lock_of_load_runs_unless_it_takes_it_itself(
    tmp_path: Path,
    takes: bool,  # noqa: FBT001
) -> None:
    lock = tmp_path / "load.lock"
    head = f"from pathlib import Path\nLOCK = Path({str(lock)!r})\nTAKES_LOAD_LOCK = {takes}"
    (tmp_path / f"planted_lock_{takes}.py").write_text(LOCKING % head)
    (figure,) = run_selftest(f"planted_lock_{takes}", Size.CI, 1, lock_path=lock).figures
    assert figure.what.startswith(
        "free" if takes else "waiting for another load run on this host to end: selftest planted"
    )


def test_only_selftests_that_start_load_runs_take_the_lock_themselves() -> None:
    """inflight, and the real parts of capacity and regression, take it; two would wait for ever."""
    folder = Path(registry.__file__).parent
    taking = {
        path.stem for path in folder.glob("*.py") if "\nTAKES_LOAD_LOCK =" in path.read_text()
    }
    assert taking == {"capacity", "inflight", "regression"}
