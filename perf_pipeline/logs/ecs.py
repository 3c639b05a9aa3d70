"""Makes one log line: an ECS document as JSON, without secrets, of bounded length.

The fields are those of the Elastic Common Schema; what it has no field for is under ``loadtest.``
(numbers) and ``labels.`` (names). Names with dots are written flat: stores expand them, and a line
stays easy to search with ``grep``.

Secrets are removed here, the last place that every line passes. JSON escapes every control
character and everything that is not ASCII, so that a terminal obeys nothing in a file.

Run in the target's process: standard library only.
"""

from __future__ import annotations

import json
import traceback
from math import isfinite
from time import gmtime, strftime
from typing import TYPE_CHECKING, Any, Literal

from perf_pipeline.redaction.redact import redacted, redacted_values

if TYPE_CHECKING:
    from collections.abc import Mapping

ECS_VERSION = "1.6.0"
SERVICE = "perf_pipeline"
MAX_LINE_BYTES = 8192
_MAX_TEXT = 65536
"""Characters of a text that are looked through for secrets; a target's error may be a megabyte."""
_CUT = "loadtest.cut_characters"
_ELLIPSIS = "..."

Level = Literal["debug", "info", "warning", "error"]
LEVELS: tuple[Level, ...] = ("debug", "info", "warning", "error")
Dataset = Literal["run", "op", "fault", "sample", "verdict"]
DATASETS: tuple[Dataset, ...] = ("run", "op", "fault", "sample", "verdict")
Outcome = Literal["success", "failure", "unknown"]
Value = bool | int | float | str | None


def timestamp(epoch_ns: int) -> str:
    """Return a time as ISO 8601 UTC with microseconds; texts sort as their times do."""
    seconds, rest_ns = divmod(epoch_ns, 1_000_000_000)
    return f"{strftime('%Y-%m-%dT%H:%M:%S', gmtime(seconds))}.{rest_ns // 1000:06d}Z"


def error_fields(error: BaseException) -> dict[str, str]:
    """Return the fields of an exception."""
    trace = "".join(traceback.format_exception(error))
    return {
        "error.type": type(error).__name__,
        "error.message": str(error),
        "error.stack_trace": trace,
    }


def labels(names: Mapping[str, str]) -> dict[str, str]:
    """Return names as ``labels.*``; those that are empty are left out."""
    return {f"labels.{name}": value for name, value in names.items() if value}


def numbers(values: Mapping[str, Value]) -> dict[str, Value]:
    """Return values as ``loadtest.*``; None is left out, as NaN and infinity, which are no JSON."""
    return {
        f"loadtest.{name}": value
        for name, value in values.items()
        if value is not None and (not isinstance(value, float) or isfinite(value))
    }


def line(document: Mapping[str, Any]) -> bytes:
    """Return a document as one line, with its end.

    Texts that people or drivers wrote (``message``, ``error.*``) lose every secret; the other
    fields hold names of ours, of which one may equal a secret (``redacted_values``).
    """
    cut = 0
    shown: dict[str, Any] = {}
    for name, value in document.items():
        if name == "message" or name.startswith("error."):
            cut += max(0, len(value) - _MAX_TEXT)
            shown[name] = redacted(_shortened(value, _MAX_TEXT, name))
        else:
            shown[name] = redacted_values(value)
    return _bounded(shown, cut)


def _bounded(document: dict[str, Any], cut: int) -> bytes:
    """Shorten the longest texts of a document until its line is short enough."""
    while True:
        if cut:
            document[_CUT] = cut
        text = json.dumps(document, allow_nan=False).encode() + b"\n"
        excess = len(text) - MAX_LINE_BYTES
        if excess <= 0:
            return text
        texts = [name for name, value in document.items() if isinstance(value, str)]
        longest = max(texts, key=lambda name: len(json.dumps(document[name])))
        value = document[longest]
        written = len(json.dumps(value))
        # A character takes up to 12 bytes, so what is left out is a share of the text's own length;
        # half of it at most, so that of several long texts something of each is left.
        kept = int(len(value) * max(0.5, 1 - (excess + 64) / written))
        kept = min(kept, len(value) - len(_ELLIPSIS) - 1)
        document[longest] = _shortened(value, kept, longest)
        cut += len(value) - len(document[longest])


def _shortened(text: str, length: int, name: str) -> str:
    """Return a text of about a length; the end of a stack trace is what matters of it."""
    if len(text) <= length:
        return text
    if name == "error.stack_trace":
        return _ELLIPSIS + text[len(text) - length :]
    return text[:length] + _ELLIPSIS
