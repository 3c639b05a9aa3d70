"""Imports a user's functions as a worker would and reports what is wrong with them; calls none.

Run in the target's environment (``worker/runtime/trial.py``): standard library only.
"""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from perf_pipeline.targets.hidden_modules import hidden_sentence
from perf_pipeline.targets.missing_variable import how_to_set
from perf_pipeline.targets.user_function import Form, load_function, load_stage

if TYPE_CHECKING:
    from collections.abc import Mapping

Role = Literal["function", "stage"]
"""What is called with a workflow's number, and what is called without arguments."""

_LOADS = {"function": load_function, "stage": load_stage}


def tried(text: str, form: Form, hidden: Mapping[str, Path], role: Role) -> tuple[str, str]:
    """Import one function; returns the result and the sentence.

    ``good``; ``wrong``: it is not there, not of this form, or no Python; ``raised``: its module
    raised something else while it was imported, which may be the want of a server.

    Args:
        text: ``module:function``.
        form: The target that will call it.
        hidden: The modules of the user's folder that cannot be imported.
        role: How it will be called.
    """
    module = text.partition(":")[0].partition(".")[0]
    if module in hidden:
        return "wrong", f"{text}: {hidden_sentence(module, hidden[module])}"
    try:
        _LOADS[role](text, form)
    except (ImportError, SyntaxError, TypeError, ValueError) as error:
        if ours(error):
            return "wrong", str(error)
        if isinstance(error, ImportError | SyntaxError):
            return "wrong", raised(text, error)
        return "raised", raised(text, error)
    except BaseException as error:  # noqa: BLE001 - also sys.exit: every failure of the module is reported
        return "raised", raised(text, error)
    return "good", ""


def ours(error: BaseException) -> bool:
    """Return whether ``load_function`` itself raised an error, so that its text suffices."""
    frames = traceback.extract_tb(error.__traceback__)
    return Path(frames[-1].filename).name == "user_function.py"


def raised(text: str, error: BaseException) -> str:
    """Return what a module raised, and where."""
    frames = traceback.extract_tb(error.__traceback__)
    last = [frame for frame in frames if not frame.filename.startswith("<")][-1]
    where = f" ({last.filename} line {last.lineno})"
    if isinstance(error, SyntaxError):
        where = ""  # its text names the place
    module = text.partition(":")[0]
    what = f"{type(error).__name__}: {error}{how_to_set(error)}"
    return f"{text}: importing {module} raised {what}{where}."
