"""The Pythons that environments are made with, and those that the user names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from perf_pipeline.config.settings import PROJECT
from perf_pipeline.errors import TargetEnvironmentError
from perf_pipeline.loadgen.environment.packages import normalised
from perf_pipeline.worker.__main__ import PLAYERS

LOWEST = (3, 11)
"""Workers are started with ``-P``, so that no module of the current folder shadows one of the
target's; Python has it since 3.11."""

_ANSWER_S = 60.0
_QUESTION = """
import json, os, sys
answer = {"version": sys.version_info[:3], "packages": [], "problem": None}
if sys.version_info >= (3, 8):
    from importlib.metadata import distributions
    answer["packages"] = [(one.metadata["Name"], one.version) for one in distributions()]
if answer["version"] >= tuple(map(int, sys.argv[1].split("."))):
    sys.path.append(sys.argv[2])
    try:
        for name in sys.argv[3:]:
            __import__(name)
    except BaseException as error:
        answer["problem"] = "%s: %s: %s" % (name, type(error).__name__, error)
sys.stdout.write("\\n" + json.dumps(answer))
sys.stdout.flush()
os._exit(0)  # also ends threads that the import started
"""
"""Any Python must understand it. What is imported may print, so the answer is the last line."""


def read_interpreter(interpreter: Path, target: str) -> dict[str, str]:
    """Ask an interpreter for its packages, and whether it can run a target's worker.

    Its path is not resolved: a virtual environment's ``python`` links to another interpreter.

    Args:
        interpreter: Its path.
        target: Folder of ``targets``.

    Returns:
        Name to version of every distribution that it finds, by name.

    Raises:
        TargetEnvironmentError: It does not run, is too old, or cannot import the worker or the
            target's adapter; the text says which.
    """
    modules = [
        "perf_pipeline.worker.__main__",
        *(f"perf_pipeline.worker.{player}" for player in PLAYERS.values()),
        f"perf_pipeline.targets.{target}.adapter",
    ]
    lowest = ".".join(map(str, LOWEST))
    command: list[str | Path] = [interpreter, "-I", "-c", _QUESTION, lowest, PROJECT, *modules]
    try:
        with tempfile.TemporaryDirectory(prefix="perf_pipeline-") as home:  # as a worker has one
            asked = subprocess.run(
                command,
                env={"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": home},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_ANSWER_S,
                check=True,
            )
        answer = json.loads(asked.stdout.strip().rpartition("\n")[2])
    except (OSError, subprocess.SubprocessError, json.JSONDecodeError) as error:
        detail = str(getattr(error, "stderr", None) or error).strip()
        raise TargetEnvironmentError(
            f"{interpreter} does not answer like a Python interpreter: {detail[-400:]}\n"
            "Give interpreter the path of a Python, such as /home/me/my-runtime/.venv/bin/python."
        ) from error
    version = ".".join(map(str, answer["version"]))
    if tuple(answer["version"]) < LOWEST:
        raise TargetEnvironmentError(
            f"{interpreter} is Python {version}; workers need {lowest} or newer.\n"
            "Make an environment with a newer Python and give that as interpreter."
        )
    if answer["problem"]:
        raise TargetEnvironmentError(
            f"{interpreter} (Python {version}) cannot run the target {target}: "
            f"{answer['problem']}\nInstall what is missing there; nothing is installed into an "
            "interpreter that a scenario names."
        )
    # The first of a name is the one that Python would import.
    found = {normalised(name): version for name, version in reversed(answer["packages"]) if name}
    return dict(sorted(found.items()))


def base_interpreter() -> Path:
    """Return the Python that this process's (virtual) environment was made with."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return Path(sys.base_prefix) / "bin" / f"python{version}"


def identify_interpreter(interpreter: Path) -> str:
    """Identify an interpreter without starting it: path, size and time of the binary."""
    try:
        real = interpreter.resolve(strict=True)
        stat = real.stat()
    except OSError as error:
        raise TargetEnvironmentError(
            f"The Python to build the target's environment with does not exist: {interpreter}.\n"
            "Name another one, or make the harness's environment again (rm -r .venv)."
        ) from error
    return f"{real} {stat.st_size} {stat.st_mtime_ns}"
