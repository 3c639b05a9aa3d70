"""What becomes of a setup and a teardown, in this process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.samples.journal import TEARDOWN
from perf_pipeline.samples.slots import IN_SETUP, SlotFile
from perf_pipeline.worker.runtime.lifecycle import NO_LIFECYCLE, Lifecycle

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[4]
HANGING = """
import atexit, sys
sys.path.insert(0, sys.argv[1])
from perf_pipeline.worker.runtime.lifecycle import Lifecycle
atexit.register(print, "atexit", flush=True)
Lifecycle(teardown="hanging:stop").tear_down(lambda facts: print(facts, flush=True), 3, 0.3)
"""


@pytest.fixture
def slots(tmp_path: Path) -> Iterator[SlotFile]:
    made = SlotFile.create(tmp_path / "slots", 1, 0)
    yield made
    made.close()


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module that is new to this process."""
    (tmp_path / "staged.py").write_text(
        "calls = []\n"
        "def start(): calls.append('start')\n"
        "def stop(): calls.append('stop')\n"
        "def bad(): raise ValueError('no\\nlicence')\n"
        "async def later(): pass\n"
        "def wrapped(): return later()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "staged", raising=False)
    return "staged"


def test_a_target_without_stages_stores_nothing(slots: SlotFile) -> None:
    stored: list[dict[str, str]] = []
    NO_LIFECYCLE.set_up(slots)
    NO_LIFECYCLE.tear_down(stored.append, 0)
    assert stored == []


def test_a_teardown_that_ends_well_leaves_an_empty_fact(slots: SlotFile, module: str) -> None:
    """Before it begins, the fact says what is true if its process is killed meanwhile."""
    stored: list[dict[str, str]] = []
    stages = Lifecycle(f"{module}:start", f"{module}:stop")
    stages.set_up(slots)
    stages.tear_down(stored.append, 0)
    assert sys.modules[module].calls == ["start", "stop"]
    assert slots.words[IN_SETUP] == 0
    assert [one[TEARDOWN][:28] for one in stored] == ["teardown staged:stop had not", ""]


def test_what_a_stage_raises_is_one_sentence_with_the_users_line(
    slots: SlotFile, module: str, tmp_path: Path
) -> None:
    raised = f"staged:bad raised ValueError: no licence ({tmp_path}/staged.py line 4)"
    with pytest.raises(RuntimeError) as error:
        Lifecycle(f"{module}:bad").set_up(slots)
    assert str(error.value) == f"setup {raised}"
    assert slots.words[IN_SETUP] == 1
    stored: list[dict[str, str]] = []
    Lifecycle(teardown=f"{module}:bad").tear_down(stored.append, 0)
    assert stored[-1] == {TEARDOWN: f"teardown {raised}"}


def test_a_stage_that_only_gives_a_coroutine_did_nothing(slots: SlotFile, module: str) -> None:
    with pytest.raises(RuntimeError, match="gave a coroutine that nobody runs"):
        Lifecycle(f"{module}:wrapped").set_up(slots)


def test_a_teardown_that_hangs_is_abandoned_and_exit_handlers_run_all_the_same(
    tmp_path: Path,
) -> None:
    (tmp_path / "hanging.py").write_text("import time\ndef stop(): time.sleep(60)\n")
    ended = subprocess.run(
        [sys.executable, "-c", HANGING, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert ended.returncode == 3
    fact, handler = ended.stdout.splitlines()
    assert "teardown hanging:stop had not ended when its worker process ended" in fact
    assert handler == "atexit"
    assert "teardown hanging:stop still ran after 0.3 s, and was abandoned" in ended.stderr
