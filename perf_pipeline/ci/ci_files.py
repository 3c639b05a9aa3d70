"""``--junit FILE`` and ``--summary FILE``: written at every end of a command, whatever it is.

Both are written before anything starts as well: a process that is killed leaves files that say
that it did not end, and not those of the command before. GitHub's summary is appended to, as GitHub
documents it (``>> $GITHUB_STEP_SUMMARY``): the commands of a step share one page. Any other file is
replaced as a whole.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.ci.job_summary import render_summary
from perf_pipeline.ci.junit import render_junit
from perf_pipeline.ci.notes import NOT_ENDED, Notes, taking_notes
from perf_pipeline.config.wording import printable
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.exit_code import Exit
from perf_pipeline.program.ending import interrupted_code
from perf_pipeline.samples.run_file import write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

JUNIT, SUMMARY = "--junit", "--summary"
SHARED = "GITHUB_STEP_SUMMARY"
_HELP = frozenset({"--help", "-h"})
_UNENDED = "it did not end: its process was killed, or the machine went down"


class CiFileError(PerfPipelineError):
    """A file of ``--junit`` or ``--summary`` cannot be written; the text says why."""


@dataclass(frozen=True)
class CiFiles:
    """The files that a command was asked for.

    Attributes:
        junit: Of ``--junit``; None for none.
        summary: Of ``--summary``; None for none.
        is_shared: The summary is GitHub's, to which every command of a step adds.
    """

    junit: Path | None
    summary: Path | None
    is_shared: bool

    def write(self, command: str, notes: Notes, code: int, *, at_end: bool = True) -> None:
        """Write the files.

        Raises:
            OSError: One cannot be written.
        """
        if self.junit:
            write_atomically(self.junit, render_junit(command, notes, code))
        if self.summary and self.is_shared:
            with self.summary.open("ab") as file:
                file.write(render_summary(command, notes, code).encode() if at_end else b"")
        elif self.summary:
            write_atomically(self.summary, render_summary(command, notes, code).encode())


NONE = CiFiles(None, None, is_shared=False)


def with_ci_files(
    command: str,
    arguments: Sequence[str],
    run: Callable[[], int],
    refuse: Callable[[PerfPipelineError], int],
    environ: Mapping[str, str],
) -> int:
    """Run a command and write the files that its arguments ask for.

    Args:
        command: Its words, such as ``perf-pipeline run``.
        arguments: Its arguments; they may be wrong.
        run: Runs it, and returns its exit code.
        refuse: Reports that a file cannot be written, and returns the exit code.
        environ: Names GitHub's summary.

    Returns:
        The exit code; that of ``run``, unless the files could not be written at the end.
    """
    if not _HELP.isdisjoint(arguments):
        return run()
    try:
        files = asked_files(arguments, environ)
        files.write(command, Notes(errors=[("Unended", (_UNENDED,))]), NOT_ENDED, at_end=False)
    except (CiFileError, OSError) as error:
        return refuse(_refused(error))
    if files == NONE:
        return run()
    code: int = Exit.DEFECT
    with taking_notes() as notes:
        try:
            code = run()
        except KeyboardInterrupt:
            code = interrupted_code()
            raise
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else Exit.BAD_INPUT
            raise
        finally:
            failed = _written(files, command, notes, code)
    if failed:
        sys.stderr.write(f"{failed}\n")
        return code or Exit.NOT_A_MEASUREMENT
    return code


def asked_files(arguments: Sequence[str], environ: Mapping[str, str]) -> CiFiles:
    """Return the files that arguments ask for, checked.

    Raises:
        CiFileError: One cannot be written, or both are the same.
    """
    junit, summary = (_checked(arguments, option) for option in (JUNIT, SUMMARY))
    if junit and junit == summary:
        raise CiFileError(
            f"{JUNIT} and {SUMMARY} both name {printable(str(junit))}: name two files"
        )
    shared = environ.get(SHARED)
    is_shared = bool(shared and summary and summary == Path(shared).resolve())
    return CiFiles(junit, summary, is_shared)


def _checked(arguments: Sequence[str], option: str) -> Path | None:
    given = _value(arguments, option)
    if not given:
        return None
    try:
        path = Path(given).resolve()
        if path.exists() and not path.is_file():
            raise CiFileError(
                f"{option} {printable(given)} is not a regular file: name another one"
            )
        if not path.parent.is_dir():
            raise CiFileError(
                f"{option} {printable(given)}: there is no folder {printable(str(path.parent))}; "
                "make it, or name another file"
            )
    except (OSError, ValueError) as error:
        raise CiFileError(f"{option} {printable(given)}: {error}") from error
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise CiFileError(
            f"{option} {printable(given)}: {printable(str(path.parent))} cannot be written to; "
            "name another file"
        )
    return path


def _value(arguments: Sequence[str], option: str) -> str | None:
    """Return the last value of an option among arguments that nobody has parsed yet."""
    found = None
    for at, argument in enumerate(arguments):
        if argument == option and at + 1 < len(arguments):
            found = arguments[at + 1]
        elif argument.startswith(f"{option}="):
            found = argument.removeprefix(f"{option}=")
    return found


def _refused(error: CiFileError | OSError) -> PerfPipelineError:
    return error if isinstance(error, CiFileError) else CiFileError(f"{JUNIT}, {SUMMARY}: {error}")


def _written(files: CiFiles, command: str, notes: Notes, code: int) -> str:
    """Write the files; return why they could not be written, empty if they were."""
    try:
        files.write(command, notes, code)
    except OSError as error:
        with suppress(OSError):
            replace(files, junit=None).write(command, notes, code)
        return f"{JUNIT} or {SUMMARY} could not be written: {error}"
    return ""
