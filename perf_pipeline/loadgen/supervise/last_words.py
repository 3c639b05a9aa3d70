"""Why a process ended, from the end of its log: whole lines, and of a traceback what it says."""

from __future__ import annotations

from itertools import dropwhile

_TRACEBACK = "Traceback (most recent call last):"
_FATAL = "Fatal Python error"
"""How the interpreter's report of a fatal signal begins; the innermost frame follows first."""


def last_words(log: str, length_max: int) -> str:
    """Return the last lines of a log that say why its process ended.

    Args:
        log: The text of the log.
        length_max: Maximum length of the result.

    Returns:
        From the last exception on, without its frames: they are in the log. Without any exception
        the last whole lines. Empty for an empty log.
    """
    lines = [line.rstrip() for line in log.splitlines() if line.strip()]
    if fatal := [at for at, line in enumerate(lines) if line.startswith(_FATAL)]:
        at = fatal[-1]
        frames = [line.strip() for line in lines[at + 1 :] if line.lstrip().startswith("File ")]
        lines = [lines[at], *frames[:1]]
    elif traced := [at for at, line in enumerate(lines) if line.lstrip(" |+-") == _TRACEBACK]:
        below = lines[traced[-1] + 1 :]
        lines = list(dropwhile(lambda line: line[0].isspace(), below)) or below[-1:]
    kept: list[str] = []
    for line in reversed(lines):
        if kept and len("\n".join([line, *kept])) > length_max:
            break
        kept.insert(0, line.strip())
    return "\n".join(kept)[:length_max]
