"""Says how a variable is handed over, when code fails for want of it.

Imported in the target's process: standard library only.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

_PREFIX, _URL = "PERF_PIPELINE_", "_URL"


def how_to_set(error: BaseException) -> str:
    """Return how to hand over the variable that ``os.environ[...]`` did not find.

    Returns:
        A sentence in parentheses after a blank; empty for any other error.
    """
    if not isinstance(error, KeyError) or len(error.args) != 1:
        return ""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    name = error.args[0]
    if trace is None or type(name) is not str or _module(trace) != os.__name__:
        return ""
    if name.startswith(_PREFIX) and name.endswith(_URL):
        service = name.removeprefix(_PREFIX).removesuffix(_URL).lower()
        return f' (the scenario asks for no such server: servers = ["{service}"])'
    return (
        f" (workers have no variable {name} of your session: in [environment] of the scenario give "
        f'it a value, {name} = "...", or pass it through, pass = ["{name}"])'
    )


def _module(trace: TracebackType) -> object:
    return trace.tb_frame.f_globals.get("__name__")
