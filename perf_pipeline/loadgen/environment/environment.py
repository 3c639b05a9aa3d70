"""The environment of a target: its own interpreter and packages, made once.

Which packages are installed beside a runtime changes its speed, so nothing of ours is installed
there. An environment is cached under the hash of what belongs into it and of the interpreter it
was made with. A virtual environment cannot be renamed into place, so completeness is a marker
file that is written last: without it, the process with the lock file builds anew.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.config.settings import PROJECT
from perf_pipeline.errors import TargetEnvironmentError
from perf_pipeline.loadgen.environment.environment_spec import (
    LOCK,
    EnvironmentSpec,
    environment_spec_of,
)
from perf_pipeline.loadgen.environment.installer import Installer, python_of
from perf_pipeline.loadgen.environment.interpreter import (
    base_interpreter,
    identify_interpreter,
    read_interpreter,
)
from perf_pipeline.loadgen.environment.packages import (
    installed_packages,
    packages_hash,
    required_packages,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from perf_pipeline.config.scenario.target_spec import TargetSpec


MARKER = "perf_pipeline.json"


@dataclass(frozen=True)
class TargetEnvironment:
    """A complete environment.

    Attributes:
        python: Its interpreter.
        lock_hash: SHA-256, hexadecimal, of the target's lock; of the packages' names and versions
            where that does not say everything.
        packages: Installed distributions: name to version, by name.
    """

    python: Path
    lock_hash: str
    packages: dict[str, str]


def make_environment(
    spec: TargetSpec,
    *,
    cache_dir: Path,
    environ: Mapping[str, str],
    uv: Path | None,
    interpreter: Path | None = None,
    base: Path | None = None,
) -> TargetEnvironment:
    """Return a target's environment, making it if it is not in the cache.

    A target without version and extra packages has exactly the packages of its lock, by hashes.
    Extra packages are added to them, and the versions of the lock do not change. For another
    version of the target, the requirements from which the lock was made are resolved anew, with
    what the index offers on the day when the environment is made. It stays so while it is cached;
    made elsewhere, it may have other versions. They are in ``packages``, and so in the manifest.
    A version that is pinned has the packages of the lock, and nothing that it requires itself.

    Safe when two processes ask at once (the second waits) and after an interrupted build. When
    the environment is cached, no process is started.

    Args:
        spec: The target.
        cache_dir: Environments live in its folder ``targets``; made if missing.
        environ: Environment of the installer: proxies, package indexes, PATH, HOME.
        uv: The uv to install with (see ``find_uv``), or None for ``venv`` and pip.
        interpreter: The user's Python, used as it is; None to make an environment.
        base: The Python to build with; None is the one that this process's environment was made
            with. uv never downloads another.

    Returns:
        The environment; its interpreter exists.

    Raises:
        TargetEnvironmentError: The target has no lock, an interpreter does not exist or cannot
            run a worker, the cache cannot be written, or packages cannot be installed.
    """
    if interpreter is not None:
        return _given(spec, interpreter)
    return environment_of(
        environment_spec_of(spec), cache_dir=cache_dir, environ=environ, uv=uv, base=base
    )


def find_environment(
    spec: TargetSpec, *, cache_dir: Path, interpreter: Path | None = None
) -> TargetEnvironment | None:
    """Return a target's environment if it is there; nothing is made.

    Args:
        spec: The target.
        cache_dir: As ``make_environment``.
        interpreter: The user's Python, used as it is.

    Returns:
        None if ``make_environment`` would have to make it.

    Raises:
        TargetEnvironmentError: The interpreter cannot run a worker, the target has no lock, or
            the cache cannot be read.
    """
    if interpreter is not None:
        return _given(spec, interpreter)
    needed = environment_spec_of(spec)
    key = needed.key(identify_interpreter(base_interpreter()))
    return _read_marker(_folder_of(cache_dir, key), needed)


def environment_of(
    spec: EnvironmentSpec,
    *,
    cache_dir: Path,
    environ: Mapping[str, str],
    uv: Path | None,
    base: Path | None = None,
) -> TargetEnvironment:
    """Return the environment of a specification, making it if it is not in the cache.

    Like ``make_environment``, for an environment of no target, such as another load generator's.
    """
    base = base or base_interpreter()
    folder = _folder_of(cache_dir, spec.key(identify_interpreter(base)))
    found = _read_marker(folder, spec)
    if found is not None:
        return found
    with _locked(folder) as lock:
        found = _read_marker(folder, spec)
        if found is not None:
            return found
        packages = _build(folder, spec, base, Installer(spec.target, uv, environ, cache_dir, lock))
        lock_hash = spec.lock_hash if spec.is_locked else packages_hash(packages)
        made = TargetEnvironment(python_of(folder), lock_hash, packages)
        _write_marker(folder, made)
    return made


def _folder_of(cache_dir: Path, key: str) -> Path:
    return cache_dir / "targets" / key[:16]


def _given(spec: TargetSpec, interpreter: Path) -> TargetEnvironment:
    """Return the user's interpreter as an environment."""
    if not spec.is_locked:
        raise TargetEnvironmentError(
            f"{spec.text} asks for packages, but nothing is installed into {interpreter}, which "
            f"the scenario names as interpreter.\nInstall them there and write {spec.name}, or "
            "leave interpreter out."
        )
    packages = read_interpreter(interpreter, spec.name)
    return TargetEnvironment(interpreter, packages_hash(packages), packages)


def find_uv(environ: Mapping[str, str], project: Path = PROJECT) -> Path | None:
    """Return the uv on PATH, else the one that ``make`` put into the project, else None."""
    on_path = shutil.which("uv", path=environ.get("PATH", ""))
    if on_path is not None:
        return Path(on_path)
    own = project / ".uv" / "bin" / "uv"
    return own if os.access(own, os.X_OK) else None


def _build(folder: Path, spec: EnvironmentSpec, base: Path, installer: Installer) -> dict[str, str]:
    """Make the environment anew; what an interrupted build left there is removed."""
    try:
        if folder.exists():
            shutil.rmtree(folder)
        installer.make(folder, base)
        if spec.lock.strip():
            lock = folder / LOCK
            lock.write_text(spec.lock, encoding="utf-8")
            installer.install_locked(folder, lock)
        if spec.wanted:
            installer.install_wanted(folder, spec.wanted, spec.locked_names)
        if spec.alone:
            installer.install_alone(folder, spec.alone)
        installer.finish(folder, required_packages(folder) | spec.names)
    except OSError as error:
        raise TargetEnvironmentError(f"{folder} cannot be written: {error.strerror}.") from error
    except TargetEnvironmentError:
        shutil.rmtree(folder, ignore_errors=True)  # it would stay for ever
        raise
    return installed_packages(folder)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[int]:
    """Hold the build lock of an environment.

    The installer inherits the descriptor: when we are killed, the lock is free when the
    installer has ended too, and no other process builds in the meantime.
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


def _read_marker(folder: Path, spec: EnvironmentSpec) -> TargetEnvironment | None:
    """Return the environment that the marker describes; None unless it is complete and whole."""
    try:
        marker = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError, UnicodeDecodeError):
        return None
    except OSError as error:
        raise TargetEnvironmentError(f"{folder / MARKER}: {error.strerror}.") from error
    python = python_of(folder)
    if not isinstance(marker, dict) or not isinstance(marker.get("packages"), dict):
        return None
    packages: dict[str, str] = marker["packages"]
    lock_hash = spec.lock_hash if spec.is_locked else packages_hash(packages)
    if marker.get("lock_hash") != lock_hash or not python.exists():
        return None
    return TargetEnvironment(python, lock_hash, packages)


def _write_marker(folder: Path, environment: TargetEnvironment) -> None:
    """Write the marker, so that it exists whole or not at all."""
    text = json.dumps({**asdict(environment), "python": str(environment.python)}, indent=1)
    temporary = folder / f"{MARKER}.new"
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / MARKER)
