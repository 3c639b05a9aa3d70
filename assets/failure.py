"""Failures of a run that say in a sentence what happened, without a stack trace around it."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
from dagster._core.errors import DagsterUserCodeProcessError
from dagster_shared.error import SerializableErrorInfo

from perf_pipeline.errors import PerfPipelineError

CANCELED = (
    "The run was asked to end (Terminate, Ctrl-C or SIGTERM). What was measured before is kept: "
    "the last observation says what, and how to read it."
)


class RunFailedError(dg.Failure, DagsterUserCodeProcessError):
    """A failure that Dagster shows as the sentences that it was given, and never retries.

    Dagster stores the stack of whatever a step raises, except of what another process of its own
    reported: that is stored as it was reported. So this is both.
    """

    def __init__(self, reason: str) -> None:
        """Make a failure; the first line of ``reason`` is what the run's page begins with."""
        reported = SerializableErrorInfo(message=reason, stack=[], cls_name=None)
        DagsterUserCodeProcessError.__init__(  # type: ignore[no-untyped-call]
            self, reason, user_code_process_error_infos=[reported]
        )
        self.description = reason
        self.metadata = {}
        self.allow_retries = False


class RunCanceledError(dg.DagsterExecutionInterruptedError, DagsterUserCodeProcessError):
    """An interruption that Dagster handles as its own and shows as one sentence."""

    def __init__(self) -> None:
        """Make an interruption that says what became of the run."""
        reported = SerializableErrorInfo(message=CANCELED, stack=[], cls_name=None)
        DagsterUserCodeProcessError.__init__(  # type: ignore[no-untyped-call]
            self, CANCELED, user_code_process_error_infos=[reported]
        )


class VerdictFailedError(RunFailedError):
    """The verdict on a run that was measured to its end, and whose files are all written."""


@contextmanager
def refused_in_a_sentence() -> Iterator[None]:
    """Turn what the user can act on into a ``RunFailedError``; anything else is a defect of ours.

    Raises:
        RunFailedError: The block raised a ``PerfPipelineError``, which is its cause.
    """
    try:
        yield
    except PerfPipelineError as error:
        raise RunFailedError(str(error)) from error
