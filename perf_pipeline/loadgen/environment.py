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
import re
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.errors import TargetEnvironmentError
from perf_pipeline.loadgen.installer import Installer, python_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TARGETS = Path(__file__).parents[1] / "targets"
PROJECT = Path(__file__).parents[2]

MARKER = "perf_pipeline.json"


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
    with _locked(folder) as held:
        found = _read_marker(folder, lock_hash)
        if found is not None:
            return found
        _build(folder, lock, base, Installer(uv, environ, cache_dir, held))
        packages = installed_packages(folder)
        _write_marker(folder, TargetEnvironment(python_of(folder), lock_hash, packages))
    return TargetEnvironment(python_of(folder), lock_hash, packages)


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
    return dict(sorted((_normalised(one.metadata["Name"]), one.version) for one in found))


def _normalised(name: str) -> str:
    """Spell a distribution's name as the lock does (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _build(folder: Path, lock: str, base: Path, installer: Installer) -> None:
    """Make the environment from nothing; an interrupted build left whatever stands there."""
    try:
        if folder.exists():
            shutil.rmtree(folder)
        installer.make(folder, base)
        file = folder / "requirements.lock"
        file.write_text(lock, encoding="utf-8")
        installer.install(folder, file)
    except OSError as error:
        raise TargetEnvironmentError(f"{folder} cannot be written: {error.strerror}.") from error


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
def _locked(folder: Path) -> Iterator[int]:
    """Hold the build lock of an environment.

    The installer inherits the descriptor: when we are killed, the lock is free when the
    installer has ended too, and nobody builds where it still writes.
    """
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
        yield descriptor
    finally:
        os.close(descriptor)


def _read_marker(folder: Path, lock_hash: str) -> TargetEnvironment | None:
    """Return the environment that the marker describes; None unless it is complete and whole."""
    try:
        marker = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError, UnicodeDecodeError):
        return None
    except OSError as error:
        raise TargetEnvironmentError(f"{folder / MARKER}: {error.strerror}.") from error
    python = python_of(folder)
    if not isinstance(marker, dict) or marker.get("lock_hash") != lock_hash:
        return None
    return TargetEnvironment(python, lock_hash, marker["packages"]) if python.exists() else None


def _write_marker(folder: Path, environment: TargetEnvironment) -> None:
    """Write the marker, so that it exists whole or not at all."""
    text = json.dumps({**asdict(environment), "python": str(environment.python)}, indent=1)
    temporary = folder / f"{MARKER}.new"
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / MARKER)
