"""What a user's code raised, in one sentence, and in which line of it.

Imported in the target's process: standard library only.
"""

from __future__ import annotations

import os
import traceback
from pathlib import Path

from perf_pipeline.targets.missing_variable import how_to_set

LENGTH_MAX = 300
"""A driver may put a whole page into an exception."""

_OURS = str(Path(__file__).parents[1])
_STANDARD_LIBRARY = str(Path(os.__file__).parent)
_INSTALLED = ("site-packages", "dist-packages")


def what_was_raised(error: BaseException) -> str:
    """Return class, text and place of an exception: ``ValueError: no (/my/shop.py line 12)``.

    The place is the innermost line of the user's own code; where all of it is installed, the
    innermost line of that.
    """
    text = " ".join(str(error).split())
    text = text if len(text) <= LENGTH_MAX else f"{text[:LENGTH_MAX]}..."
    what = f"{type(error).__name__}: {text}" if text else type(error).__name__
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(("<", _OURS))
    ]
    own = [frame for frame in frames if not _is_installed(frame.filename)] or frames
    where = f" ({own[-1].filename} line {own[-1].lineno})" if own else ""
    return f"{what}{how_to_set(error)}{where}"


def _is_installed(file: str) -> bool:
    return file.startswith(_STANDARD_LIBRARY) or any(f"/{name}/" in file for name in _INSTALLED)
