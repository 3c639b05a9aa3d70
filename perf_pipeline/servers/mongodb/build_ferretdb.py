"""Builds FerretDB from its Go module into our cache, where there is a Go: ``make ferretdb``.

``go install`` of the module gives a program that ends at once: its version is a generated file
that the module lacks. So a copy of the module gets that file, and is built.

Always exits 0: without FerretDB the sentence printed here says what is used in its place.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.config.settings import current_settings
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.exit_code import Exit
from perf_pipeline.program.program import run_program
from perf_pipeline.servers.mongodb.ferretdb import PROGRAM, VERSION, built_folder, installed

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.config.settings import Settings

_MODULE = "github.com/FerretDB/FerretDB"
_VERSION_FILE = "build/version/version.txt"
_DOWNLOAD_S, _BUILD_S = 120.0, 240.0
_OPTIONS = ("-trimpath", "-ldflags=-s", "-buildvcs=false", "-tags=ferretdb_no_postgresql")
_GO = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": ""}


class BuildError(PerfPipelineError):
    """Go failed; the text is what it wrote last."""


def build(settings: Settings, notify: Callable[[str], None]) -> Path | None:
    """Return FerretDB's program, built if it is not there.

    Args:
        settings: Name the folders.
        notify: Called with each step, and with the reason if there is none.
    """
    if (found := installed(settings)) is not None:
        return found
    go = shutil.which("go", path=settings.search_path)
    if go is None:
        notify("FerretDB is not on PATH, and without Go (1.22 or newer) it cannot be built.")
        return None
    folder = built_folder(settings.cache_dir)
    try:
        notify(f"building FerretDB {VERSION} with {go} into {folder} (a minute or two)")
        return _built(go, folder)
    except BuildError as error:
        notify(f"FerretDB could not be built: {error}")
        return None


def _built(go: str, folder: Path) -> Path:
    described = _step([go, "mod", "download", "-json", f"{_MODULE}@{VERSION}"], None, _DOWNLOAD_S)
    module = Path(json.loads(described)["Dir"])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        source, program = Path(temporary, "source"), Path(temporary, PROGRAM)
        _step(["cp", "-r", "--no-preserve=mode", str(module), str(source)], None, _DOWNLOAD_S)
        (source / _VERSION_FILE).write_text(f"{VERSION}\n", encoding="ascii")
        _step([go, "build", *_OPTIONS, "-o", str(program), f"./cmd/{PROGRAM}"], source, _BUILD_S)
        return program.rename(folder / PROGRAM)


def _step(command: list[str], folder: Path | None, timeout_s: float) -> str:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **_GO},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"{' '.join(command)} took more than {timeout_s:g} s") from error
    if done.returncode != 0:
        tail = "\n".join((done.stderr or done.stdout).strip().splitlines()[-5:])
        raise BuildError(f"{' '.join(command)} failed with exit code {done.returncode}:\n{tail}")
    return done.stdout


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(_arguments: list[str]) -> int:
    """Build it if need be; what is used is printed."""
    try:
        settings = current_settings()
    except PerfPipelineError as error:
        sys.stderr.write(f"{error}\n")
        return Exit.BAD_INPUT
    found = build(settings, _print)
    _print(f"FerretDB: {found or 'unavailable'}")
    return Exit.COMPLETE


if __name__ == "__main__":
    run_program(main)
