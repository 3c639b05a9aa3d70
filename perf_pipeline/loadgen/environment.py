"""The environment of a target: an interpreter of its own with locked packages, made once.

Which packages are installed beside a runtime changes its speed, so nothing of ours is installed
there. An environment is cached under the hash of its lock and of the interpreter it was made
with. A virtual environment cannot be renamed into place, so completeness is a marker file that
is written last: without it, whoever holds the lock file builds anew.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.errors import TargetEnvironmentError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TARGETS = Path(__file__).parents[1] / "targets"
PROJECT = Path(__file__).parents[2]

MARKER = "perf_pipeline.json"
BUILD_LIMIT_S = 900
_SHOWN_LINES = 12

# Variables that would lead an installer, or the new interpreter, to another environment.
_LEADING_ASTRAY = ("CONDA_PREFIX", "PYTHONHOME", "PYTHONPATH", "UV_PROJECT_ENVIRONMENT",
                   "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")  # fmt: skip


@dataclass(frozen=True)
class TargetEnvironment:
    """A complete environment.

    Attributes:
        python: Its interpreter.
        lock_hash: SHA-256 of the lock, hexadecimal.
        packages: Installed distributions: name to version, by name.
    """

    python: Path
    lock_hash: str
    packages: dict[str, str]


def make_environment(
    target: str,
    *,
    cache_dir: Path,
    environ: Mapping[str, str],
    uv: Path | None,
    interpreter: Path | None = None,
) -> TargetEnvironment:
    """Return a target's environment, making it if it is not in the cache.

    Safe when two processes ask at once (the second waits) and after an interrupted build. When
    the environment is cached, no process is started.

    Args:
        target: Name of a folder of ``perf_pipeline/targets``.
        cache_dir: Environments live in its folder ``targets``; made if missing.
        environ: Environment of the installer: proxies, package indexes, PATH, HOME.
        uv: The uv to install with (see ``find_uv``), or None for ``venv`` and pip.
        interpreter: The Python to build with; None is the one that this process's environment
            was made with. uv never downloads another.

    Returns:
        The environment; its interpreter exists.

    Raises:
        TargetEnvironmentError: The target has no lock, the interpreter does not exist, the
            cache cannot be written, or the packages cannot be installed.
    """
    lock = read_lock(target)
    lock_hash = hashlib.sha256(lock.encode()).hexdigest()
    base = interpreter or base_interpreter()
    key = hashlib.sha256(f"{lock_hash} {_identity(base)}".encode()).hexdigest()
    folder = cache_dir / "targets" / key[:16]
    found = _read_marker(folder, lock_hash)
    if found is not None:
        return found
    with _locked(folder):
        found = _read_marker(folder, lock_hash)
        if found is not None:
            return found
        _build(folder, lock, base, _Installer(uv, environ, cache_dir))
        packages = installed_packages(folder)
        _write_marker(folder, TargetEnvironment(_python(folder), lock_hash, packages))
    return TargetEnvironment(_python(folder), lock_hash, packages)


def find_uv(environ: Mapping[str, str], project: Path = PROJECT) -> Path | None:
    """Return the uv on PATH, else the one that ``make`` put into the project, else None."""
    on_path = shutil.which("uv", path=environ.get("PATH", ""))
    if on_path is not None:
        return Path(on_path)
    own = project / ".uv" / "bin" / "uv"
    return own if os.access(own, os.X_OK) else None


def base_interpreter() -> Path:
    """Return the Python that this process's (virtual) environment was made with."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return Path(sys.base_prefix) / "bin" / f"python{version}"


def read_lock(target: str) -> str:
    """Return the text of a target's lock, with the locks that it includes in their places.

    A target that runs in the environment of another has a lock of one line, ``-r`` and the path
    of the other's; both are then the same environment.

    Raises:
        TargetEnvironmentError: There is no such lock.
    """
    return _expanded(TARGETS / target / "requirements.lock")


def _expanded(path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise TargetEnvironmentError(
            f"A target's packages are locked in {path}, which cannot be read: {error.strerror}.\n"
            "Make it with: uv pip compile --universal --generate-hashes requirements.in"
        ) from error
    parts = []
    for line in lines:
        if line.startswith("-r "):
            parts.append(_expanded((path.parent / line[3:].strip()).resolve()))
        elif not line.startswith("#"):
            parts.append(line)
    return "\n".join(parts)


def installed_packages(folder: Path) -> dict[str, str]:
    """Read the distributions installed in an environment: name to version, by name."""
    site = next(iter(sorted(folder.glob("lib/python3*/site-packages"))), None)
    if site is None:
        raise TargetEnvironmentError(f"{folder} has no folder of packages: remove it, run again.")
    found = importlib.metadata.distributions(path=[str(site)])
    return dict(sorted((one.metadata["Name"].lower(), one.version) for one in found))


@dataclass(frozen=True)
class _Installer:
    """How packages get into an environment."""

    uv: Path | None
    environ: Mapping[str, str]
    cache_dir: Path

    def make(self, folder: Path, base: Path) -> None:
        """Make an empty environment in ``folder`` with the interpreter ``base``."""
        if self.uv is None:
            self._run([base, "-m", "venv", folder], "Debian and Ubuntu: apt install python3-venv")
            return
        self._run(
            [self.uv, "venv", "--quiet", "--no-project", "--python", base, folder],
            f"Is {base} a working Python?",
        )

    def install(self, folder: Path, lock: Path) -> None:
        """Install exactly what ``lock`` says into ``folder``, with compiled bytecode."""
        python = _python(folder)
        hint = "Is there a network, and a package index? (UV_INDEX_URL, PIP_INDEX_URL, proxies)"
        if self.uv is not None:
            options = ["--quiet", "--require-hashes", "--compile-bytecode", "--python", python]
            self._run([self.uv, "pip", "sync", *options, lock], hint)
            return
        pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        self._run([*pip, "install", "--require-hashes", "--no-deps", "--requirement", lock], hint)
        # What uv does not put in either; another set of packages is another environment.
        self._run([*pip, "uninstall", "--yes", "pip", "setuptools"], hint)
        self._run([python, "-m", "compileall", "-q", folder / "lib"], "Is the disk full?")

    def _run(self, command: list[str | Path], hint: str) -> None:
        environ = {key: value for key, value in self.environ.items() if key not in _LEADING_ASTRAY}
        environ["UV_PYTHON_DOWNLOADS"] = "never"
        home_cache = Path(environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME", "/"), ".cache"))
        if not os.access(home_cache, os.W_OK):  # a HOME that cannot be written, or none yet
            environ.setdefault("UV_CACHE_DIR", str(self.cache_dir / "uv"))
        try:
            subprocess.run(
                command,
                check=True,
                cwd=self.cache_dir,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=BUILD_LIMIT_S,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise TargetEnvironmentError(_failure(command, error, hint)) from error


def _failure(command: list[str | Path], error: Exception, hint: str) -> str:
    said = str(error)
    if isinstance(error, subprocess.CalledProcessError):
        last = "\n".join(error.stdout.strip().splitlines()[-_SHOWN_LINES:])
        said = f"exit code {error.returncode}\n{last}"
    shown = " ".join(str(part) for part in command)
    return f"The target's environment could not be made.\n{shown}\n{said}\n{hint}"


def _build(folder: Path, lock: str, base: Path, installer: _Installer) -> None:
    """Make the environment from nothing; an interrupted build left whatever stands there."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        installer.make(folder, base)
        file = folder / "requirements.lock"
        file.write_text(lock, encoding="utf-8")
        installer.install(folder, file)
    except OSError as error:
        raise TargetEnvironmentError(f"{folder} cannot be written: {error.strerror}.") from error


def _python(folder: Path) -> Path:
    return folder / "bin" / "python"


def _identity(interpreter: Path) -> str:
    """Tell interpreters apart without starting them: path, size and time of the binary."""
    try:
        real = interpreter.resolve(strict=True)
        stat = real.stat()
    except OSError as error:
        raise TargetEnvironmentError(
            f"The Python to build the target's environment with does not exist: {interpreter}.\n"
            "Name another one, or make the harness's environment again (rm -r .venv)."
        ) from error
    return f"{real} {stat.st_size} {stat.st_mtime_ns}"


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the build lock of an environment; the kernel frees it when its holder dies."""
    path = folder.with_name(f"{folder.name}.lock")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise TargetEnvironmentError(
            f"The cache of target environments cannot be written: {path}: {error.strerror}.\n"
            "Point XDG_CACHE_HOME at a folder that can."
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _read_marker(folder: Path, lock_hash: str) -> TargetEnvironment | None:
    """Return the environment that the marker describes; None unless it is complete and whole."""
    try:
        marker = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError):
        return None
    python = _python(folder)
    if marker.get("lock_hash") != lock_hash or not python.exists():
        return None
    return TargetEnvironment(python, lock_hash, marker["packages"])


def _write_marker(folder: Path, environment: TargetEnvironment) -> None:
    """Write the marker, so that it exists whole or not at all."""
    text = json.dumps({**asdict(environment), "python": str(environment.python)}, indent=1)
    temporary = folder / f"{MARKER}.new"
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / MARKER)
