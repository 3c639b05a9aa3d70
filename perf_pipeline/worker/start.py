"""Starts a module of ours in a target's interpreter, with nothing else of ours on its path.

    python -P start.py MODULE PYTHON_PATH [ARGUMENT...]

``MODULE`` has a function ``main(arguments) -> int``, whose answer is the exit code. Only the
package ``perf_pipeline`` can be imported of what is ours: a file of the user's that is called
like another one of ours (``assets.py``, ``tests``) is found, and so is what the user has installed.
The user's folder comes after the standard library and before installed packages: a ``queue.py`` in
it does not take the place of Python's own, which the worker and the libraries need.

Run in the target's process: standard library only.
"""

from __future__ import annotations

import contextlib
import os
import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location

NAME = "perf_pipeline"
PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
_STANDARD_LIBRARY = os.path.dirname(os.__file__)  # noqa: PTH120


def expose_package(folder: str = PACKAGE) -> None:
    """Make this package importable, and no other of the same name.

    What a start-up file of the interpreter has imported from this very folder stays.
    """
    loaded = sys.modules.get(NAME)
    if loaded is not None and folder in getattr(loaded, "__path__", ()):
        return
    for name in [name for name in sys.modules if name == NAME or name.startswith(f"{NAME}.")]:
        del sys.modules[name]
    init = os.path.join(folder, "__init__.py")  # noqa: PTH118
    spec = spec_from_file_location(NAME, init, submodule_search_locations=[folder])
    if spec is None or spec.loader is None:
        raise ImportError(f"{init} cannot be imported")
    package = module_from_spec(spec)
    sys.modules[NAME] = package
    spec.loader.exec_module(package)


def insert_folder(folder: str, path: list[str]) -> None:
    """Put the user's folder into a search path, behind the standard library."""
    parts = (_STANDARD_LIBRARY, os.path.join(_STANDARD_LIBRARY, "lib-dynload"))  # noqa: PTH118
    places = [at for at, entry in enumerate(path) if entry in parts]
    path.insert(max(places, default=-1) + 1, folder)


def main(module: str, folder: str, arguments: list[str]) -> int:
    """Run a module of ours to its end; returns the exit code."""
    if folder:
        insert_folder(folder, sys.path)
    del sys.argv[1:]  # a module of the user's may read it
    found = import_module(module)
    if hasattr(found, "__path__"):
        found = import_module(f"{module}.__main__")
    code: int = found.main(arguments)
    return code


if __name__ in {"__main__", "__mp_main__"}:  # the second in children that multiprocessing spawns
    expose_package()
if __name__ == "__main__":
    end = os._exit
    code = main(sys.argv[1], sys.argv[2], sys.argv[3:])
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError, ValueError):  # the target's by now
            stream.flush()
    end(code)  # threads still in a workflow cannot be joined; they are recorded as abandoned
