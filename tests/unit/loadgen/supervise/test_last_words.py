"""The end of a log is told in whole lines, and never begins in the middle of a traceback."""

from __future__ import annotations

import subprocess
import sys

from perf_pipeline.loadgen.supervise.last_words import last_words

FRAMES = "".join(
    f'  File "/a/long/path/of/module_{n}.py", line {n}, in f\n    g()\n' for n in range(40)
)
NOT_STARTED = "RuntimeError: only 36 of 100 threads could be started (can't start new thread)"


def test_of_a_long_traceback_the_exception_is_told_and_no_frame() -> None:
    first = f"Traceback (most recent call last):\n{FRAMES}RuntimeError: can't start new thread\n"
    between = "\nThe above exception was the direct cause of the following exception:\n\n"
    log = f"chatter\n{first}{between}Traceback (most recent call last):\n{FRAMES}{NOT_STARTED}\n"

    assert last_words(log, 400) == NOT_STARTED


def test_a_message_of_several_lines_is_kept_from_its_beginning() -> None:
    log = f"Traceback (most recent call last):\n{FRAMES}ValueError: first\nsecond\n"

    assert last_words(log, 400) == "ValueError: first\nsecond"
    assert last_words(log, 10) == "second"


def test_without_an_exception_the_last_whole_lines_are_told() -> None:
    assert (
        last_words("one line\nanother line\nthe last line\n", 30) == "another line\nthe last line"
    )
    assert last_words("x" * 1000, 30) == "x" * 30
    assert last_words("\n \n", 30) == ""


def test_of_a_crash_of_the_interpreter_the_signal_and_the_innermost_frame_are_told() -> None:
    crash = "import faulthandler; faulthandler.enable()\ndef f(): faulthandler._sigsegv()\nf()"
    ended = subprocess.run(
        [sys.executable, "-c", crash], capture_output=True, text=True, check=False
    )

    fatal, frame = last_words(ended.stderr, 400).splitlines()
    assert fatal == "Fatal Python error: Segmentation fault"
    assert frame == 'File "<string>", line 2 in f'
