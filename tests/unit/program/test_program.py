"""The end of a program: its exit code, whatever happened to it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    Program = Callable[..., subprocess.CompletedProcess[str]]

PRINT = 'for line in range(20000):\n    print("line", line)\nreturn {}'


@pytest.mark.usefixtures("hang_ups")
@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ("return 3", 3, ""),
        ("return None", 0, ""),
        ("raise SystemExit('one sentence')", 2, "one sentence\n"),
        ("raise KeyboardInterrupt", 130, ""),
        ("import os; os.kill(os.getpid(), 15); return 0", 143, ""),
        ("import os; os.kill(os.getpid(), 1); return 0", 129, ""),
    ],
)
def test_a_program_ends_with_the_code_of_what_happened(
    program: Program, body: str, code: int, said: str
) -> None:
    ended = program(body)
    assert (ended.returncode, ended.stderr) == (code, said)


def test_sighup_that_is_ignored_stays_ignored(program: Program) -> None:
    """As ``nohup`` does it."""
    ended = program("import os; os.kill(os.getpid(), 1); return 5", "trap '' HUP; exec {}")
    assert ended.returncode == 5


@pytest.mark.parametrize(
    "body",
    [
        "raise ValueError('of ours')",
        "class PanicException(BaseException): ...\nraise PanicException('of ours')",
        "raise ImportError('of ours')",
    ],
)
def test_a_defect_is_a_sentence_with_a_file_and_code_70(
    program: Program, tmp_path: Path, body: str
) -> None:
    """Also a panic of a library in Rust, which is no ``Exception``, and a failed import."""
    ended = program(body)
    assert ended.returncode == 70
    (kept,) = (tmp_path / "state/perf_pipeline/defects").iterdir()
    assert ended.stderr.count("\n") == 1
    assert "of ours" in ended.stderr
    assert str(kept) in ended.stderr
    assert "Traceback" in kept.read_text(encoding="utf-8")
    assert kept.stat().st_mode & 0o077 == 0


def test_a_defect_is_explained_where_no_folder_can_be_written(program: Program) -> None:
    nowhere = {"XDG_STATE_HOME": "/proc/none", "HOME": "/proc/none", "TMPDIR": "/proc/none"}
    ended = program("raise ValueError('of ours')", **nowhere)
    assert ended.returncode == 70
    assert ended.stderr.startswith("a defect of perf_pipeline: ValueError: of ours. ")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_opened_before_anything_else(
    program: Program, tmp_path: Path, closed: str
) -> None:
    """No file of ours gets a number below 3, and a child inherits what it may read and write."""
    body = """
import json, os, subprocess, tempfile
print("out")
sys.stderr.write("err\\n")
with tempfile.TemporaryFile() as ours:
    assert sys.stdin.read() == ""
    child = subprocess.run(["sh", "-c", "echo out && echo err >&2 && cat"]).returncode
    open(sys.argv[-1], "w").write(json.dumps([ours.fileno() > 2, child]))
return 4
"""
    ended = program(
        body, f"{{}} {tmp_path}/answer {closed}" + ("" if "<" in closed else " </dev/null")
    )
    assert ended.returncode == 4, ended.stderr
    assert json.loads((tmp_path / "answer").read_text()) == [True, 0]


def test_a_reader_that_leaves_costs_nothing_of_a_run(program: Program) -> None:
    """One line on standard error says so; a command that only prints ends without a word."""
    run = program(PRINT.format(3), "{} | head -4; exit ${{PIPESTATUS[0]}}")
    assert (run.returncode, len(run.stdout.splitlines())) == (3, 4)
    assert run.stderr == "standard output could not be written to its end: broken pipe\n"
    printed = program(PRINT.format(0), "{} prints | head -4; exit ${{PIPESTATUS[0]}}")
    assert (printed.returncode, printed.stderr) == (0, "")


def test_a_full_device_costs_nothing_of_a_run(program: Program) -> None:
    """What only prints has failed, as nothing is left of it."""
    for words, code in (("", 0), ("prints", 2)):
        ended = program(PRINT.format(0), f"{{}} {words} > /dev/full")
        assert ended.returncode == code
        assert ended.stderr == (
            "standard output could not be written to its end: no space left on device\n"
        )
    assert program(PRINT.format(0), "{} 2> /dev/full | tail -1").stdout == "line 19999\n"


def test_a_stream_that_does_not_block_is_waited_for(program: Program) -> None:
    """The other end of a pipe may make it so, as Node does; a full one is no error."""
    body = "import os\nos.set_blocking(1, False)\n" + PRINT.format(0)
    ended = program(body, "{} | (sleep 0.3; tail -1)")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "line 19999\n", "")


@pytest.mark.parametrize(
    ("variables", "shown"),
    [
        ({"PYTHONIOENCODING": "ascii:strict"}, r"\u2265 3"),
        ({"PYTHONIOENCODING": "none such"}, "≥ 3"),
        ({"PYTHONIOENCODING": "hex"}, "≥ 3"),
        ({"PYTHONIOENCODING": "utf-16-le"}, None),
    ],
)
def test_no_encoding_of_the_output_is_an_error(
    program: Program, variables: dict[str, str], shown: str | None
) -> None:
    ended = program('print("≥ 3")\nreturn 0', "{} | tr -d '\\0'", isolated=True, **variables)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert shown is None or ended.stdout == f"{shown}\n"
