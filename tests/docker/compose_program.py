"""Docker Compose v2 for the tests: the one on this machine, else Debian 13's, in our cache."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.docker.engine import NoEngineError

_SUITE = "deb http://deb.debian.org/debian trixie main"
_PLUGIN = "usr/libexec/docker/cli-plugins/docker-compose"


def compose_on_path(cache: Path) -> None:
    """See to it that Compose v2 is found; it may be added to the end of this process's PATH.

    Raises:
        NoEngineError: There is none, and it cannot be fetched.
    """
    if _is_v2("docker", "compose") or _is_v2("docker-compose"):
        return
    program = cache / "bin" / "docker-compose"
    if not program.exists():
        _fetch(program)
    # Before the others: Debian 12's own docker-compose is version 1.
    os.environ["PATH"] = f"{program.parent}:{os.environ['PATH']}"


def _is_v2(*command: str) -> bool:
    if shutil.which(command[0]) is None:
        return False
    asked = [*command, "version", "--short"]
    told = subprocess.run(asked, capture_output=True, text=True, timeout=20, check=False)
    major = told.stdout.strip().removeprefix("v").partition(".")[0]
    return told.returncode == 0 and major.isdecimal() and int(major) >= 2


def _fetch(program: Path) -> None:
    """Fetch the package with a package list of its own: the host's is that of another suite."""
    if shutil.which("apt-get") is None:
        raise NoEngineError(
            "Docker Compose v2 is not here, and without apt-get none can be fetched"
        )
    program.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name in ("state/lists/partial", "cache/archives/partial", "root"):
            (folder / name).mkdir(parents=True)
        (folder / "status").touch()
        (folder / "sources.list").write_text(f"{_SUITE}\n", encoding="ascii")
        own = {
            "Dir::State": folder / "state",
            "Dir::State::status": folder / "status",
            "Dir::Cache": folder / "cache",
            "Dir::Etc::sourcelist": folder / "sources.list",
            "Dir::Etc::sourceparts": "-",
            "Debug::NoLocking": 1,
            "APT::Sandbox::User": "",
        }
        options = [part for name, value in own.items() for part in ("-o", f"{name}={value}")]
        for command in (
            ["apt-get", "-qq", *options, "update"],
            ["apt-get", "-qq", *options, "download", "docker-compose"],
        ):
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise NoEngineError(f"Docker Compose v2 cannot be fetched: {done.stderr.strip()}")
        (archive,) = folder.glob("*.deb")
        subprocess.run(["dpkg", "-x", str(archive), str(folder / "root")], check=True)
        shutil.copy(folder / "root" / _PLUGIN, program)
