"""The images that tests build, since nothing can be pulled: a base, and Debian's servers on it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.docker.engine import NoEngineError, install

IMAGES = Path(__file__).parent / "images"
BASE = "perf-pipeline-base:bookworm"
SERVERS = "perf-pipeline-servers:debian"
MIRROR = "http://deb.debian.org/debian"
TOXIPROXY = "v2.5.0"
"""The newest that the Go proxy has."""


def base_image(scratch: Path) -> str:
    """Make the image that others are built on, unless the engine has it; returns its name."""
    if has_image(BASE):
        return BASE
    if shutil.which("mmdebstrap") is None:
        install("mmdebstrap")
    archive = scratch / "base.tar"
    include = "--include=ca-certificates,python3-minimal"
    run("mmdebstrap", "--quiet", "--variant=minbase", include, "bookworm", str(archive), MIRROR)
    run("docker", "import", str(archive), BASE)
    archive.unlink()
    return BASE


def servers_image(scratch: Path, cache: Path) -> str:
    """Build the image of Debian's servers; returns its name. Unchanged parts come from the cache.

    Args:
        scratch: For the base image.
        cache: Where Toxiproxy's programs are kept.
    """
    with ThreadPoolExecutor(1) as beside, tempfile.TemporaryDirectory() as folder:
        programs = beside.submit(toxiproxy, cache)
        base_image(scratch)
        context = Path(folder, "images")
        shutil.copytree(IMAGES, context)
        (context / "toxiproxy").mkdir()
        for program in programs.result():
            shutil.copy(program, context / "toxiproxy")
        build(context, SERVERS)
    return SERVERS


def build(context: Path, tag: str, *options: str) -> None:
    """Build an image; its steps use the host's network, which needs no DNS of the engine's."""
    run("docker", "build", "--quiet", "--network", "host", "--tag", tag, *options, str(context))


def toxiproxy(cache: Path) -> list[Path]:
    """Return Toxiproxy's two programs, built from source; none where there is no Go."""
    folder = cache / f"toxiproxy-{TOXIPROXY}"
    programs = [folder / "toxiproxy", folder / "toxiproxy-cli"]
    if all(program.exists() for program in programs):
        return programs
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if go is None:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    own = {"GOBIN": str(folder), "CGO_ENABLED": "0", "GOFLAGS": "-mod=mod"}
    own |= {"GOPATH": str(cache / "go"), "GOCACHE": str(cache / "go-build")}
    for part in ("server", "cli"):
        package = f"github.com/Shopify/toxiproxy/v2/cmd/{part}@{TOXIPROXY}"
        done = subprocess.run(
            [go, "install", package], env={**os.environ, **own}, timeout=300, check=False
        )
        if done.returncode != 0:
            return []
    (folder / "server").rename(programs[0])
    (folder / "cli").rename(programs[1])
    return programs


def has_image(name: str) -> bool:
    """Return whether the engine has an image."""
    asked = ["docker", "image", "inspect", "--format", "{{.Id}}", name]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


def run(*command: str) -> str:
    """Run a command that must succeed; returns what it printed."""
    environ = {**os.environ, "DOCKER_BUILDKIT": "0"}
    done = subprocess.run(
        command,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        tail = "\n".join(done.stdout.splitlines()[-15:])
        raise NoEngineError(f"{' '.join(command)} ended with {done.returncode}:\n{tail}")
    return done.stdout
