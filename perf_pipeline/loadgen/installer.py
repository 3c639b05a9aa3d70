"""How packages get into a target's environment: uv, or venv and pip where there is no uv."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.errors import TargetEnvironmentError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BUILD_LIMIT_S = 900
_SHOWN_LINES = 12

# Variables that would lead an installer, or the new interpreter, to another environment.
_LEADING_ASTRAY = frozenset(
    {
        "CONDA_PREFIX",
        "PYTHONHOME",
        "PYTHONPATH",
        "UV_PROJECT_ENVIRONMENT",
        "VIRTUAL_ENV",
        "__PYVENV_LAUNCHER__",
    }
)


def python_of(folder: Path) -> Path:
    """Return the interpreter of the environment in ``folder``."""
    return folder / "bin" / "python"


@dataclass(frozen=True)
class Installer:
    """Makes environments and fills them.

    Attributes:
        uv: The uv to use, or None for ``venv`` and pip.
        environ: Environment of the installing processes; what would lead them astray is left out.
        cache_dir: Where they run; uv caches below it when HOME cannot be written.
        held: A descriptor that they inherit and so keep open as long as they live.
    """

    uv: Path | None
    environ: Mapping[str, str]
    cache_dir: Path
    held: int

    def make(self, folder: Path, base: Path) -> None:
        """Make an empty environment in ``folder`` with the interpreter ``base``.

        Raises:
            TargetEnvironmentError: It could not be made.
        """
        if self.uv is None:
            hint = "Debian and Ubuntu: apt install python3-venv"
            self._run([base, "-m", "venv", folder], hint)
            return
        command: list[str | Path] = [
            self.uv,
            "venv",
            "--quiet",
            "--no-project",
            "--python",
            base,
            folder,
        ]
        self._run(command, f"Is {base} a working Python?")

    def install(self, folder: Path, lock: Path) -> None:
        """Install exactly what ``lock`` says into ``folder``, with compiled bytecode.

        Raises:
            TargetEnvironmentError: A package could not be had, or does not match its hash.
        """
        python = python_of(folder)
        hint = "Is there a network, and a package index? (UV_INDEX_URL, PIP_INDEX_URL, proxies)"
        if self.uv is not None:
            options = ["--quiet", "--require-hashes", "--compile-bytecode", "--python"]
            self._run([self.uv, "pip", "sync", *options, python, lock], hint)
            return
        pip: list[str | Path] = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        self._run([*pip, "install", "--require-hashes", "--no-deps", "--requirement", lock], hint)
        # What uv does not put there either: another set of packages is another environment.
        self._run([*pip, "uninstall", "--yes", "pip", "setuptools"], hint)
        self._run([python, "-m", "compileall", "-q", folder / "lib"], "Is the disk full?")

    def _run(self, command: Sequence[str | Path], hint: str) -> None:
        try:
            subprocess.run(
                command,
                check=True,
                cwd=self.cache_dir,
                env=self._environ(),
                pass_fds=(self.held,),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=BUILD_LIMIT_S,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise TargetEnvironmentError(_failure(command, error, hint)) from error

    def _environ(self) -> dict[str, str]:
        environ = {key: value for key, value in self.environ.items() if key not in _LEADING_ASTRAY}
        environ["UV_PYTHON_DOWNLOADS"] = "never"
        cache = Path(environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME", "/"), ".cache"))
        nearest = next(folder for folder in (cache, *cache.parents) if folder.exists())
        if not os.access(nearest, os.W_OK):  # no HOME, or one of somebody else
            environ.setdefault("UV_CACHE_DIR", str(self.cache_dir / "uv"))
        return environ


def _failure(command: Sequence[str | Path], error: Exception, hint: str) -> str:
    said = str(error)
    if isinstance(error, subprocess.CalledProcessError):
        last = "\n".join(error.stdout.strip().splitlines()[-_SHOWN_LINES:])
        said = f"exit code {error.returncode}\n{last}"
    shown = " ".join(str(part) for part in command)
    return f"The target's environment could not be made.\n{shown}\n{said}\n{hint}"
