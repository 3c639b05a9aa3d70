"""How packages get into a target's environment: uv, or venv and pip where there is no uv."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.errors import TargetEnvironmentError
from perf_pipeline.loadgen.environment.package_index import installer_variables, without_index
from perf_pipeline.loadgen.environment.packages import installed_packages

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

BUILD_LIMIT_S = 900
_SHOWN_LINES = 12
_INDEX = "Is there a network, and a package index? (UV_DEFAULT_INDEX, PIP_INDEX_URL, proxies)"


def python_of(folder: Path) -> Path:
    """Return the interpreter of the environment in ``folder``."""
    return folder / "bin" / "python"


@dataclass(frozen=True)
class Installer:
    """Makes environments and fills them.

    Attributes:
        target: For whom, as messages name it.
        uv: The uv to use, or None for ``venv`` and pip.
        environ: The user's variables; installers get them as ``package_index`` says.
        cache_dir: Where they run; uv caches below it when HOME cannot be written.
        lock: A descriptor of the lock file, which they inherit and so hold as long as they live.
    """

    target: str
    uv: Path | None
    environ: Mapping[str, str]
    cache_dir: Path
    lock: int

    def make(self, folder: Path, base: Path) -> None:
        """Make an empty environment in ``folder`` with the interpreter ``base``.

        Raises:
            TargetEnvironmentError: It could not be made.
        """
        if self.uv is None:
            hint = "Debian and Ubuntu: apt install python3-venv"
            self._run([base, "-m", "venv", folder], hint)
            return
        options = ["--quiet", "--no-project", "--python"]
        self._run([self.uv, "venv", *options, base, folder], f"Is {base} a working Python?")

    def install_locked(self, folder: Path, lock: Path) -> None:
        """Install exactly the packages of ``lock`` into ``folder``.

        Raises:
            TargetEnvironmentError: A package is not available, or does not match its hash.
        """
        if self.uv is not None:
            options = ["--quiet", "--require-hashes", "--compile-bytecode", "--python"]
            sync: list[str | Path] = [self.uv, "pip", "sync", *self._no_index(), *options]
            self._run([*sync, python_of(folder), lock], _INDEX)
            return
        exactly = ["install", "--require-hashes", "--no-deps", "--requirement"]
        self._run([*_pip(folder), *exactly, lock], _INDEX)

    def install_wanted(
        self, folder: Path, wanted: Iterable[str], locked_names: Container[str]
    ) -> None:
        """Install ``wanted`` and all that it needs; the locked packages must not change.

        Args:
            folder: The environment, with its locked packages installed.
            wanted: Requirements, one a line.
            locked_names: Names of the locked packages.

        Raises:
            TargetEnvironmentError: A package is not available, or a locked one changed.
        """
        installed = installed_packages(folder).items()
        locked = {name: version for name, version in installed if name in locked_names}
        constraints, requirements = folder / "constraints.txt", folder / "wanted.txt"
        constraints.write_text("".join(f"{name}=={version}\n" for name, version in locked.items()))
        requirements.write_text("".join(f"{line}\n" for line in wanted))
        files: list[str | Path] = ["--requirement", requirements, "--constraint", constraints]
        hint = f"Does the index have these names and versions? {_INDEX}"
        if locked:
            hint = (
                "The versions of the target's lock do not change; where a package needs other "
                f"versions, ask for a version of the target too (name==version+package).\n{hint}"
            )
        if self.uv is not None:
            options = ["--quiet", "--compile-bytecode", "--python"]
            install: list[str | Path] = [self.uv, "pip", "install", *self._no_index(), *options]
            self._run([*install, python_of(folder), *files], hint)
        else:
            self._run([*_pip(folder), "install", *files], hint)
        now = installed_packages(folder)
        changed = [
            f"{name} {version} became {now.get(name, 'nothing')}"
            for name, version in locked.items()
            if now.get(name) != version
        ]
        if changed:
            raise TargetEnvironmentError(
                f"Adding packages for {self.target} changed locked ones: {', '.join(changed)}.\n"
                "The target would differ from its lock. Ask for a version of the target as well "
                "(name==version+package): everything is then resolved anew."
            )

    def install_alone(self, folder: Path, requirements: Iterable[str]) -> None:
        """Install ``requirements``, and nothing that they require in turn.

        Args:
            folder: The environment, with everything else installed.
            requirements: Requirements, each with its version.

        Raises:
            TargetEnvironmentError: One is not available.
        """
        hint = f"Does the index have these names and versions? {_INDEX}"
        if self.uv is not None:
            options = ["--quiet", "--no-deps", "--compile-bytecode", "--python"]
            install: list[str | Path] = [self.uv, "pip", "install", *self._no_index(), *options]
            self._run([*install, python_of(folder), *requirements], hint)
            return
        self._run([*_pip(folder), "install", "--no-deps", *requirements], hint)

    def finish(self, folder: Path, keep: Iterable[str]) -> None:
        """Remove what ``venv`` adds and uv does not, and compile everything.

        Args:
            folder: The environment.
            keep: Packages that are needed by others.

        Raises:
            TargetEnvironmentError: It could not be done.
        """
        if self.uv is not None:
            return
        # Another set of packages is another environment.
        surplus = sorted({"pip", "setuptools"}.difference(keep))
        if surplus:
            self._run([*_pip(folder), "uninstall", "--yes", *surplus], _INDEX)
        self._run(
            [python_of(folder), "-m", "compileall", "-q", folder / "lib"], "Is the disk full?"
        )

    def _run(self, command: Sequence[str | Path], hint: str) -> None:
        try:
            subprocess.run(
                command,
                check=True,
                cwd=self.cache_dir,
                env=self._environ(),
                pass_fds=(self.lock,),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=BUILD_LIMIT_S,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise TargetEnvironmentError(self._failure(command, error, hint)) from error

    def _no_index(self) -> list[str]:
        return ["--no-index"] if without_index(self.environ) else []

    def _environ(self) -> dict[str, str]:
        environ = installer_variables(self.environ)
        cache = Path(environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME", "/"), ".cache"))
        nearest = next(folder for folder in (cache, *cache.parents) if folder.exists())
        if not os.access(nearest, os.W_OK):  # no HOME, or another user's
            environ.setdefault("UV_CACHE_DIR", str(self.cache_dir / "uv"))
        return environ

    def _failure(self, command: Sequence[str | Path], error: Exception, hint: str) -> str:
        detail = str(error)
        if isinstance(error, subprocess.CalledProcessError):
            last = "\n".join(error.stdout.strip().splitlines()[-_SHOWN_LINES:])
            detail = f"exit code {error.returncode}\n{last}"
        shown = " ".join(str(part) for part in command)
        return f"The environment of {self.target} could not be made.\n{shown}\n{detail}\n{hint}"


def _pip(folder: Path) -> list[str | Path]:
    return [python_of(folder), "-m", "pip", "--quiet", "--disable-pip-version-check"]
