"""Imports a user's functions as a worker would and reports what is wrong with them; calls none.

Run in the target's environment, before any worker::

    python -P -m perf_pipeline.targets.try_functions ANSWER.json FORM MODULE:FUNCTION...

The answer is a separate file, as modules may print: a list with a row a function, each a result
and a sentence. ``good``; ``wrong``: it is not there, not of this form, or no Python; ``raised``:
its module raised something else while it was imported, which may be the want of a server.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import cast

from perf_pipeline.targets.user_function import Form, load_function


def tried(text: str, form: Form) -> tuple[str, str]:
    """Import one function; returns the result and the sentence.

    Args:
        text: ``module:function``.
        form: The target that will call it.
    """
    try:
        load_function(text, form)
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
    return f"{text}: importing {module} raised {type(error).__name__}: {error}{where}."


if __name__ == "__main__":
    path, form, *functions = sys.argv[1:]
    rows = [tried(text, cast("Form", form)) for text in functions]
    Path(path).write_text(json.dumps(rows), encoding="utf-8")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # also ends threads that the modules started
