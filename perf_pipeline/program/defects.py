"""A defect of ours, as a user meets it: one sentence, and a file with the traceback."""

from __future__ import annotations

import os
import tempfile
import time
import traceback
from pathlib import Path

from perf_pipeline.config.settings import current_settings
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.redaction.redact import redacted

KEPT = 20
"""Files that a folder of defects holds; the oldest go first."""
_SHOWN = 300


def explain_defect(error: BaseException) -> str:
    """Keep the traceback of an error that no user can act on; return a sentence about it."""
    trace = "".join(traceback.format_exception(error))
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return explain_log(what, trace)


def explain_log(what: str, log: str) -> str:
    """Keep what a failed process printed; return a sentence about it.

    Args:
        what: The failure, in a few words.
        log: Kept without passwords.
    """
    shown = redacted(" ".join(what.split()))[:_SHOWN].rstrip(".")
    for folder in _folders():
        try:
            file = _keep(folder, redacted(log))
        except OSError:
            continue
        return f"a defect of perf_pipeline: {shown}. Please report it with {file}"
    return f"a defect of perf_pipeline: {shown}. No file could be written with its traceback"


def _folders() -> list[Path]:
    """Return where the file may be: state, results, temporary files."""
    temporary = Path(tempfile.gettempdir()) / f"perf_pipeline-{os.getuid()}"
    try:
        settings = current_settings()
    except (PerfPipelineError, OSError):
        return [temporary / "defects"]
    places = [settings.state_dir / "defects", settings.results_dir / "defects"]
    return [places[0], *(place for place in places[1:] if place.parent.is_dir()), temporary]


def _keep(folder: Path, text: str) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"{time.strftime('%Y%m%d_%H%M%S', time.gmtime())}-{os.getpid()}.txt"
    descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
    for old in sorted(folder.glob("*_*-*.txt"))[:-KEPT]:
        old.unlink(missing_ok=True)
    return folder / name
