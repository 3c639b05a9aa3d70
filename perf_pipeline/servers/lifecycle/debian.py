"""Obtains a Debian package of a server: installed by root, else unpacked into our cache.

::

    python -m perf_pipeline.servers.lifecycle.debian mariadb-server-core

Does nothing where the service is available already. Always exits 0: a scenario leaves an
unavailable server out or names it, and the sentence printed here says how to get it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.config.services import SERVICES
from perf_pipeline.config.settings import current_settings
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.exit_code import Exit
from perf_pipeline.program.program import run_program
from perf_pipeline.servers.lifecycle.status import server_status
from perf_pipeline.servers.lifecycle.unpacked import library_prefix, unpacked_root
from perf_pipeline.servers.service import find_service, how_to_get

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perf_pipeline.config.settings import Settings

_STEP_S = 300.0
_QUICK = ["-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20"]
_LOCK = ["-o", "DPkg::Lock::Timeout=120"]
_INSTALL = ["install", "-y", "--no-install-recommends"]


class PackageError(PerfPipelineError):
    """A command failed; the text says which and what it wrote last."""


def packages() -> dict[str, str]:
    """Return each package that servers come from, with its service."""
    found = {find_service(name).DEBIAN_PACKAGE: name for name in SERVICES}
    return {package: name for package, name in found.items() if package is not None}


def obtain(
    package: str, settings: Settings, *, as_root: bool, notify: Callable[[str], None]
) -> bool:
    """Make a package's service available on this machine.

    Args:
        package: One of ``packages()``.
        settings: Name the folders; a service that they name by URL is the user's business.
        as_root: Install it; else unpack it.
        notify: Called with each step, and with what to do if one fails.

    Returns:
        Whether the service is available now.
    """
    service = packages()[package]
    if service in settings.urls or _is_available(service, settings):
        return True
    lacking = [name for name in ("apt-get", "dpkg") if not _found(name, settings)]
    if lacking:
        notify(f"{' and '.join(lacking)} not found. {how_to_get(service)}")
        return False
    try:
        if as_root:
            notify(f"installing Debian's {package} for {service}")
            _install(package)
        else:
            root = unpacked_root(settings.cache_dir, package)
            notify(f"unpacking Debian's {package} for {service} into {root}")
            _unpack(package, root)
    except PackageError as error:
        notify(f"{package} is not available: {error}\n{how_to_get(service)}")
        return False
    return _is_available(service, settings)


def program_of(package: str, name: str, settings: Settings) -> list[str]:
    """Return the command of a program: the machine's, else that of a package in our cache.

    Nothing is installed: a missing package is unpacked into the cache, root or not.

    Args:
        package: Debian's package.
        name: The program in it, below ``usr/bin``.
        settings: Name the folders.

    Raises:
        PackageError: Neither exists, and the package is not available.
    """
    on_path = shutil.which(name, path=settings.search_path)
    if on_path is not None:
        return [on_path]
    root = unpacked_root(settings.cache_dir, package)
    program = root / "usr" / "bin" / name
    if not program.exists():
        lacking = [tool for tool in ("apt-get", "dpkg") if not _found(tool, settings)]
        if lacking:
            raise PackageError(
                f"{name} is not on PATH, and without {' and '.join(lacking)} Debian's {package} "
                f"cannot be obtained.\nInstall {name}."
            )
        _unpack(package, root)
    return [*library_prefix(program), str(program)]


def main(arguments: list[str]) -> int:
    """Obtain the package that the arguments name; return the exit code.

    A package that is unavailable is no failure: what needs it says so.
    """
    if len(arguments) != 1 or arguments[0] not in packages():
        names = ",".join(packages())
        usage = f"usage: python -m perf_pipeline.servers.lifecycle.debian {{{names}}}\n"
        sys.stderr.write(usage)
        return Exit.BAD_INPUT
    try:
        settings = current_settings()
    except PerfPipelineError as error:
        sys.stderr.write(f"{error}\n")
        return Exit.BAD_INPUT
    obtain(arguments[0], settings, as_root=os.geteuid() == 0, notify=_print)
    return Exit.COMPLETE


def _is_available(service: str, settings: Settings) -> bool:
    (status,) = server_status(settings, [service])
    return status.state != "unavailable"


def _found(name: str, settings: Settings) -> bool:
    return shutil.which(name, path=settings.search_path) is not None


def _install(package: str) -> None:
    try:
        _apt([*_LOCK, *_INSTALL, package])
    except PackageError:  # apt may know no packages yet, or only outdated ones
        _apt([*_LOCK, "update"])
        _apt([*_LOCK, *_INSTALL, package])


def unpack_alone(packages: Sequence[str], root: Path) -> None:
    """Unpack packages without what they depend on, into one folder: for static programs.

    Raises:
        PackageError: A package is not available, or could not be unpacked; nothing is left.
    """
    _unpack_fetched(["download", *packages], root)


def _unpack(package: str, root: Path) -> None:
    """Unpack a package and all that it needs beyond what is installed, whole or not at all."""
    _unpack_fetched([*_INSTALL, "--reinstall", "--download-only", package], root)


def _unpack_fetched(fetch: list[str], root: Path) -> None:
    """Unpack the packages that a command of apt-get fetches, whole or not at all."""
    root.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root.parent) as temporary:
        folder = Path(temporary)
        for name in ("state/lists/partial", "cache/archives/partial", "root"):
            (folder / name).mkdir(parents=True)
        own = {
            "Dir::State": folder / "state",
            "Dir::State::status": "/var/lib/dpkg/status",
            "Dir::Cache": folder / "cache",
            "Debug::NoLocking": 1,
            "APT::Sandbox::User": "",
        }
        private = [part for name, value in own.items() for part in ("-o", f"{name}={value}")]
        archives = folder / "cache/archives"
        _apt([*private, "update"])
        _apt([*private, *fetch], archives)
        for archive in sorted(archives.glob("*.deb")):
            _step(["dpkg", "-x", str(archive), str(folder / "root")])
        try:
            (folder / "root").rename(root)
        except OSError as error:
            if not root.is_dir():  # else another process was quicker
                raise PackageError(f"{root} could not be made: {error}") from error


def _apt(arguments: list[str], folder: Path | None = None) -> None:
    _step(["apt-get", "-q", *_QUICK, *arguments], folder)


def _step(command: list[str], folder: Path | None = None) -> None:
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_STEP_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PackageError(f"{' '.join(command)} took more than {_STEP_S:g} s") from error
    if done.returncode != 0:
        tail = "\n".join(done.stdout.strip().splitlines()[-5:])
        raise PackageError(f"{' '.join(command)} failed with exit code {done.returncode}:\n{tail}")


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    run_program(main)
