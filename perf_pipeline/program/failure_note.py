"""What a child process tells its parent: lines for people, and its failure in a file.

An exit code cannot tell what was refused from what broke, and a log has 300 lines of stack trace.
"""

from __future__ import annotations

import json
import traceback
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.program.ending import is_request_to_end
from perf_pipeline.redaction.redact import redacted

if TYPE_CHECKING:
    from pathlib import Path

NOTICE_PREFIX = "perf_pipeline: "
"""Prefix of the lines that a run in a child process prints for the people at its parent."""


@dataclass(frozen=True)
class FailureNote:
    """The first failure of a process.

    Attributes:
        kind: Name of the exception's class.
        text: What it says: sentences for the user, if it was refused.
        is_defect: Whether it is a defect of ours, and nothing that a user can act on.
        trace: The traceback of a defect.
        is_verdict: Whether it is the verdict on a run that was measured to its end.
    """

    kind: str
    text: str
    is_defect: bool
    trace: str = ""
    is_verdict: bool = False


def note_failure(
    path: Path | None, error: BaseException, *, refused: str = "", is_verdict: bool = False
) -> None:
    """Note a failure, unless there is no parent to read it, or one is noted already.

    A failure takes the place of a verdict, which the metrics say again.

    Args:
        path: The file; None in a process that has no such parent.
        error: What was raised.
        refused: What to tell the user, where an error of another kind wraps something refused.
        is_verdict: Whether it is the verdict on a run that was measured to its end.
    """
    if path is None:
        return
    noted = read_note(path.read_bytes())
    if noted is not None and not noted.is_verdict:
        return
    if is_request_to_end(error):
        refused = "the run was asked to end"
    is_defect = not refused and not isinstance(error, PerfPipelineError)
    note = FailureNote(
        kind=type(error).__name__,
        text=redacted(refused or str(error)),
        is_defect=is_defect,
        trace=redacted("".join(traceback.format_exception(error))) if is_defect else "",
        is_verdict=is_verdict,
    )
    path.write_text(json.dumps(asdict(note)), encoding="utf-8")


def read_note(content: bytes) -> FailureNote | None:
    """Return the failure that a file contains; None for an empty one."""
    return FailureNote(**json.loads(content)) if content else None
