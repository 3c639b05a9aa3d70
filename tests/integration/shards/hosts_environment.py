"""The interpreter of a host that plays shards: what running needs, and the image's packages."""

from __future__ import annotations

import hashlib
import shutil
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
    key = b"".join([*(lock.read_bytes() for lock in LOCKS), str(ROOT).encode()])
    digest = hashlib.sha256(key).hexdigest()[:16]
    folder = current_settings().cache_dir / f"test-host-{digest}"
    python = folder / "bin/python"
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        uv = shutil.which("uv") or str(ROOT / ".uv/bin/uv")
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
        install = [uv, "pip", "install", "--quiet", "--python", python]
        locked = [word for lock in LOCKS for word in ("--requirements", lock)]
        subprocess.run(
            [*install, "--require-hashes", "--compile-bytecode", *locked], check=True, timeout=240
        )
        subprocess.run([*install, "--no-deps", "--no-build-isolation", "-e", ROOT], check=True)
        (folder / "ready").touch()
    return python
