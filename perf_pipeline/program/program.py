"""The beginning and the end of every program of ours.

Whatever is between them, a program ends with a code of ``exit_code.py``: one that Python chose (1
for a traceback, 120 for a stream that cannot be flushed) would be read as a verdict.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn

from perf_pipeline.exit_code import Exit
from perf_pipeline.program.ending import end_in_order_on_signals, interrupted_code
from perf_pipeline.program.limits import limits_refused
from perf_pipeline.program.session import (
    forget_other_pythons,
    keep_from_all_users,
    limit_numpy_threads,
    restart_isolated,
)
from perf_pipeline.program.streams import open_closed_descriptors, replace_streams
from perf_pipeline.program.threads import threads_refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perf_pipeline.program.streams import LossyFile


def run_program(
    main: Callable[[list[str]], int],
    *,
    only_prints: Callable[[Sequence[str]], bool] = lambda _arguments: False,
    is_light: Callable[[Sequence[str]], bool] = lambda _arguments: False,
) -> NoReturn:
    """Run a program to its end, and exit with its code.

    Args:
        main: Takes the arguments without the program's name, and returns the exit code. It imports
            what it needs itself: an import that fails has the same end as any other failure.
        only_prints: Whether a command, by its arguments, does nothing else: a reader that has read
            enough is then no event, and output that was lost is a failure.
        is_light: Whether a command, by its arguments, neither measures nor draws.
    """
    open_closed_descriptors()
    forget_other_pythons(os.environ)
    limit_numpy_threads(os.environ)
    restart_isolated()
    keep_from_all_users()
    out, _ = replace_streams(os.environ)
    end_in_order_on_signals()
    arguments = sys.argv[1:]
    code = _code(main, arguments, is_light=is_light(arguments))
    sys.stdout.flush()
    if out.error is not None:
        code = _lost_output(out, code, only_prints=only_prints(arguments))
    sys.stderr.flush()
    sys.exit(code)


def _code(main: Callable[[list[str]], int], arguments: list[str], *, is_light: bool) -> int:
    """Return the exit code; an error that is nobody's is explained."""
    if refused := threads_refused() or limits_refused(is_light=is_light):
        sys.stderr.write(f"{refused}\n")
        return Exit.BAD_INPUT
    try:
        _remember_urls(arguments)
        return main(arguments)
    except KeyboardInterrupt:
        return interrupted_code()
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
            return Exit.BAD_INPUT
        return end.code or 0
    except BaseException as error:  # noqa: BLE001 - a panic of a library in Rust is no Exception
        sys.stderr.write(f"{_explained(error)}\n")
        return Exit.DEFECT


def _remember_urls(arguments: list[str]) -> None:
    """Let no message repeat the password of a URL that was given in the wrong place."""
    from perf_pipeline.redaction.redact import remember_url  # noqa: PLC0415 - after the restart

    for argument in arguments:
        remember_url(argument)


def _explained(error: BaseException) -> str:
    """Return the sentence about a defect; also where even our own modules cannot be imported."""
    try:
        from perf_pipeline.program.defects import explain_defect  # noqa: PLC0415 - may fail too

        return explain_defect(error)
    except BaseException as further:
        if isinstance(further, KeyboardInterrupt):
            raise
        what = " ".join(f"{type(error).__name__}: {error}".split())
        return f"a defect of perf_pipeline, or a broken installation: {what}"


def _lost_output(out: LossyFile, code: int, *, only_prints: bool) -> int:
    """Say that output was lost, unless the reader wanted no more of it; return the exit code."""
    if only_prints and out.is_unread:
        return code
    sys.stderr.write(f"standard output could not be written to its end: {out.reason}\n")
    return code or (Exit.BAD_INPUT if only_prints else Exit.COMPLETE)
