"""A folder of targets, packages made here, and an index that is a folder: no network."""

from __future__ import annotations

import base64
import hashlib
import os
import zipfile
from typing import TYPE_CHECKING

from perf_pipeline.config.scenario import target_spec
from perf_pipeline.config.scenario.target_spec import TargetSpec
from perf_pipeline.loadgen.environment import environment_spec
from perf_pipeline.loadgen.environment.environment import (
    TargetEnvironment,
    find_uv,
    make_environment,
)
from perf_pipeline.loadgen.environment.interpreter import base_interpreter

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

UV = find_uv(os.environ)
UVS = [UV, None] if UV else [None]
"""With uv if there is one here, and with pip."""


def locked(target: str) -> TargetSpec:
    """Name a target as its lock says."""
    return TargetSpec(target, target, None, ())


def write_wheel(folder: Path, name: str, version: str, *, requires: tuple[str, ...] = ()) -> str:
    """Write a wheel with one module; its SHA-256."""
    info = f"{name}-{version}.dist-info"
    needed = "".join(f"Requires-Dist: {one}\n" for one in requires)
    files = {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needed}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode()
        record += f"{path},sha256={digest.rstrip('=')},{len(text)}\n"
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            archive.writestr(path, text)
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


_ONE = locked("one")


class Bench:
    """A folder of targets, a folder of wheels, an environment without a network."""

    def __init__(self, folder: Path) -> None:
        self.cache = folder / "cache of mine"  # with spaces
        self.targets = folder / "targets"
        self.wheels = folder / "wheels"
        self.wheels.mkdir(parents=True)
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "UV_OFFLINE": "1",
            "UV_FIND_LINKS": str(self.wheels),
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": self.wheels.as_uri(),
            "PIP_CONFIG_FILE": os.devnull,
            "UV_NO_CONFIG": "1",
            "PYTHONHOME": str(folder / "astray"),  # a Python that sees it does not start
            "PYTHONPATH": str(folder / "astray"),
            "VIRTUAL_ENV": str(folder / "astray"),
        }
        self.lock("one", f"spam==1.0 --hash=sha256:{write_wheel(self.wheels, 'spam', '1.0')}\n")

    def use(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let the targets of this folder be the only ones."""
        for module in (target_spec, environment_spec):
            monkeypatch.setattr(module, "TARGETS_FOLDER", self.targets)
        target_spec.target_facts.cache_clear()

    def lock(self, target: str, text: str) -> None:
        """Write the lock of a target."""
        (self.targets / target).mkdir(parents=True, exist_ok=True)
        (self.targets / target / "requirements.lock").write_text(text)

    def make(
        self,
        spec: TargetSpec = _ONE,
        *,
        uv: Path | None = UV,
        interpreter: Path | None = None,
        base: Path | None = None,
    ) -> TargetEnvironment:
        """Ask for the environment of a target."""
        return make_environment(
            spec,
            cache_dir=self.cache,
            environ=self.environ,
            uv=uv,
            interpreter=interpreter,
            base=base,
        )

    def logging_python(self, before: str = "") -> Path:
        """Return a Python that notes when it starts and ends, and runs a command in between."""
        path = self.cache.parent / "logging python"
        path.write_text(
            f'#!/bin/sh\necho "start $*" >> "{self.log}"\n{before}\n'
            f'"{base_interpreter()}" "$@"\ncode=$?\necho "end $*" >> "{self.log}"\nexit $code\n'
        )
        path.chmod(0o755)
        return path

    @property
    def log(self) -> Path:
        """What the logging Python noted."""
        return self.cache.parent / "log"
