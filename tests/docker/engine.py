"""A Docker engine for the tests: the one that answers, else Debian's, started for this session.

None is started beside one that answers: with its start, dockerd empties the chains of the packet
filter that another one made. Ours has its own bridge, sockets and data folder, and what it changed
is taken back. The data folder is in the cache: a second run finds its images there.
"""

from __future__ import annotations

import fcntl
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.lifeline import bound_command
from tests.docker.firewall import Firewall

if TYPE_CHECKING:
    from collections.abc import Iterator

_READY_S = 60.0
_STOP_S = 60.0
_APT = ("apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120")


class NoEngineError(Exception):
    """There is no Docker engine, and none can be started here; the text says why."""


@dataclass(frozen=True)
class Engine:
    """A Docker engine that answers.

    Attributes:
        host: As in DOCKER_HOST.
        root: Its data folder on this machine.
    """

    host: str
    root: str

    @property
    def socket(self) -> str:
        """The path of its socket."""
        return self.host.removeprefix("unix://")


@contextmanager
def docker_engine(cache: Path) -> Iterator[Engine]:
    """Provide an engine, and end it afterwards if it was started here.

    Args:
        cache: Where an own engine keeps its images.

    Raises:
        NoEngineError: None answers, and none can be started.
    """
    engine = answering(os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock")
    if engine is None:
        _install_engine()  # which may start it, where services are started by packages
        engine = answering("unix:///var/run/docker.sock")
    if engine is not None:
        yield engine
        return
    with _own_engine(cache) as own:
        yield own


def answering(host: str) -> Engine | None:
    """Return the engine at an address if it answers."""
    if shutil.which("docker") is None:
        return None
    asked = ("docker", "--host", host, "info", "--format", "{{.DockerRootDir}}")
    try:
        told = subprocess.run(asked, capture_output=True, text=True, timeout=20, check=False)
    except subprocess.TimeoutExpired:
        return None
    root = told.stdout.strip()
    return Engine(host, root) if told.returncode == 0 and root else None


def install(*packages: str) -> None:
    """Install Debian packages; NoEngineError where that is not possible."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise NoEngineError(
            f"no Docker engine answers, and {' and '.join(packages)} can be installed by root on "
            "Debian alone: set DOCKER_HOST, or run this as root"
        )
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = [*_APT, "install", "-y", "--no-install-recommends", *packages]
    if subprocess.run(command, env=environ, stdin=subprocess.DEVNULL, check=False).returncode == 0:
        return
    subprocess.run([*_APT, "update"], env=environ, stdin=subprocess.DEVNULL, check=False)
    done = subprocess.run(command, env=environ, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise NoEngineError(f"{' '.join(command)} failed with exit code {done.returncode}")


def _install_engine() -> None:
    lacking = [name for name in ("dockerd", "docker", "iptables") if not shutil.which(name)]
    if lacking:
        install("docker.io", "iptables", "iproute2")


@contextmanager
def _own_engine(cache: Path) -> Iterator[Engine]:
    cache.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        lock = stack.enter_context((cache / "lock").open("w"))
        fcntl.flock(lock, fcntl.LOCK_EX)  # one engine at a time uses the data folder
        # A socket's path is limited to 107 bytes, and the user's TMPDIR may be long.
        runtime = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ppd-", dir="/tmp")))
        stack.callback(lambda: _unmount_below(runtime))
        bridge = f"ppd{runtime.name.removeprefix('ppd-')[:8]}"
        firewall = Firewall.read()
        stack.callback(lambda: firewall.restore(bridge))
        _make_bridge(bridge)
        stack.callback(lambda: _ip("link", "delete", bridge))
        host = f"unix://{runtime}/docker.sock"
        command = [
            *("dockerd", "--host", host, "--bridge", bridge),
            *("--data-root", str(cache / "data"), "--exec-root", str(runtime / "exec")),
            *("--pidfile", str(runtime / "pid")),
        ]
        log = stack.enter_context((cache / "dockerd.log").open("w", encoding="utf-8"))
        bound = bound_command(command, signal.SIGTERM, os.getpid())
        daemon = subprocess.Popen(bound, stdout=log, stderr=subprocess.STDOUT)
        stack.callback(lambda: _end(daemon))
        yield _when_ready(daemon, host, cache / "dockerd.log")


def _when_ready(daemon: subprocess.Popen[bytes], host: str, log: Path) -> Engine:
    until = time.monotonic() + _READY_S
    while daemon.poll() is None and time.monotonic() < until:
        if (engine := answering(host)) is not None:
            return engine
        time.sleep(0.1)
    tail = "\n".join(log.read_text(encoding="utf-8").splitlines()[-5:])
    ended = "does not answer" if daemon.poll() is None else f"ended with {daemon.returncode}"
    raise NoEngineError(f"dockerd {ended}:\n{tail}")


def _end(daemon: subprocess.Popen[bytes]) -> None:
    daemon.terminate()
    try:
        daemon.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()


def _unmount_below(folder: Path) -> None:
    """Unmount what dockerd leaves mounted when it ends, such as network namespaces."""
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text("utf-8").splitlines()]
    for mount in reversed(mounts):
        if Path(mount).is_relative_to(folder):
            subprocess.run(["umount", "--lazy", mount], check=False)


def _make_bridge(name: str) -> None:
    taken = _ip("-o", "route")
    candidates = [f"10.{second}.{third}" for second in range(200, 250) for third in range(256)]
    random.shuffle(candidates)
    network = next(one for one in candidates if f"{one}." not in taken)
    _ip("link", "add", name, "type", "bridge")
    _ip("address", "add", f"{network}.1/24", "dev", name)
    _ip("link", "set", name, "up")


def _ip(*arguments: str) -> str:
    try:
        done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise NoEngineError("a bridge needs iproute2: apt-get install iproute2") from error
    if done.returncode != 0:
        raise NoEngineError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout
