"""Names the damage of a stored run where it would otherwise surface as a stack trace."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from perf_pipeline.errors import PerfPipelineError, RunFolderError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.samples.run_folder import RunFolder


@contextmanager
def damage_named(folder: RunFolder) -> Iterator[None]:
    """Turn whatever the files of a stored run make of its readers into one sentence.

    Files are checked where they are read (``run_record``, ``typed_file``). Values that fit their
    types and contradict each other (a level without the records that it counts, a slot that no
    worker had) surface later, as any exception. For commands that read stored runs; not around a
    run that this process measures itself, where such an exception is a defect of ours.

    Raises:
        RunFolderError: The block raised anything but an error for the user, or an interruption.
    """
    try:
        yield
    except PerfPipelineError:
        raise
    except OSError as error:
        raise RunFolderError(f"run {folder.run_id}: {error}") from error
    except Exception as error:
        what = f"{type(error).__name__}: {error}"[:300]
        raise RunFolderError(
            f"{folder.root} cannot be read ({what}): a file of it is damaged, was edited, or is of "
            "another version.\nThe other runs are not affected: `perf-pipeline status` lists them."
        ) from error
