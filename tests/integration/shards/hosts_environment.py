"""The interpreter of a host that plays shards: what running needs, and the image's packages."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from typing import TYPE_CHECKING

from perf_pipeline.config.settings import current_settings
from tests.sandbox import ROOT

if TYPE_CHECKING:
    from pathlib import Path

LOCKS = (ROOT / "requirements.lock", ROOT / "infra/dagster/deploy.lock")


def host_python() -> Path:
    """Return the interpreter; its environment is made once for its locks, as the targets' are."""
    digest = hashlib.sha256(b"".join(lock.read_bytes() for lock in LOCKS)).hexdigest()[:16]
    folder = current_settings().cache_dir / f"test-host-{digest}"
    python = folder / "bin/python"
    if not (folder / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        named = [word for lock in LOCKS for word in ("--requirement", lock)]
        subprocess.run([*install, "--require-hashes", *named], check=True)
        subprocess.run([*install, "--no-deps", "--no-build-isolation", "-e", ROOT], check=True)
        (folder / "ready").touch()
    return python
