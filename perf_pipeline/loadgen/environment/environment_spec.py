"""What belongs into a target's environment, before anything is installed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.target_spec import TARGETS_FOLDER, target_facts
from perf_pipeline.errors import TargetEnvironmentError
from perf_pipeline.loadgen.environment.packages import normalised, requirement_name

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.config.scenario.target_spec import TargetSpec

LOCK = "requirements.lock"
WANTED = "requirements.in"


@dataclass(frozen=True)
class EnvironmentSpec:
    """The packages of one environment.

    Attributes:
        target: The target's text, for messages.
        lock: Requirements with hashes, to be installed exactly so; empty for none.
        wanted: Requirements beside them that the installer resolves, with the lock's versions
            unchanged; empty when the lock names every package.
        alone: Requirements that are installed without what they require in turn.
    """

    target: str
    lock: str
    wanted: tuple[str, ...] = ()
    alone: tuple[str, ...] = ()

    @property
    def is_locked(self) -> bool:
        """True when the lock names every package."""
        return not (self.wanted or self.alone)

    @property
    def locked_names(self) -> frozenset[str]:
        """The packages that the lock names; those for other platforms among them."""
        return frozenset(map(requirement_name, self.lock.splitlines())) - {""}

    @property
    def names(self) -> frozenset[str]:
        """The packages that are asked for by name."""
        return self.locked_names | frozenset(map(requirement_name, (*self.wanted, *self.alone)))

    @property
    def lock_hash(self) -> str:
        """SHA-256 of the lock, hexadecimal."""
        return hashlib.sha256(self.lock.encode()).hexdigest()

    def key(self, interpreter: str) -> str:
        """Return the name in the cache for what this is with an interpreter.

        The target's text is not part of it: ``control+pandas`` runs in the environment of
        ``kailash+pandas``, even if the index has another pandas by then.
        """
        asked = "".join(f" {json.dumps(one)}" for one in (self.wanted, self.alone) if one)
        asked = f"{asked} alone" if self.alone else asked
        return hashlib.sha256(f"{self.lock_hash}{asked} {interpreter}".encode()).hexdigest()


def environment_spec_of(spec: TargetSpec) -> EnvironmentSpec:
    """Return the specification of a target's environment.

    Raises:
        TargetEnvironmentError: The target has no lock; or a version is asked for and it has no
            list of requirements from which a lock could be made.
    """
    if spec.version is None:
        return EnvironmentSpec(spec.text, read_lock(spec.name), spec.packages)
    package = target_facts(spec.name).package
    own = f"{package}=={spec.version}"
    if spec.is_pinned:
        return EnvironmentSpec(
            spec.text, _lock_without(read_lock(spec.name), package), spec.packages, (own,)
        )
    others = [line for line in _wanted(spec) if requirement_name(line) != normalised(package)]
    return EnvironmentSpec(spec.text, "", (own, *others, *spec.packages))


def read_lock(target: str) -> str:
    """Return the text of a target's lock, with the locks that it includes in their places.

    A target that runs in the environment of another has a lock of one line, ``-r`` and the path
    of the other's; both are then the same environment.

    Raises:
        TargetEnvironmentError: There is no such lock.
    """
    lines = []
    for path in _locks(TARGETS_FOLDER / target / LOCK):
        text = path.read_text(encoding="utf-8")
        lines += [line for line in text.splitlines() if not line.startswith(("#", "-r "))]
    return "\n".join(lines)


def _lock_without(lock: str, package: str) -> str:
    """Return a lock without one package: its line, and the indented lines of its hashes."""
    left, is_out = [], False
    for line in lock.splitlines():
        if not line.startswith((" ", "\t")):
            is_out = requirement_name(line) == normalised(package)
        if not is_out:
            left.append(line)
    return "\n".join(left)


def _locks(path: Path) -> list[Path]:
    """Return a lock and those that it includes, all of them readable."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise TargetEnvironmentError(
            f"A target's packages are locked in {path}, which cannot be read: {error.strerror}.\n"
            f"Make it with: uv pip compile --universal --generate-hashes {WANTED}"
        ) from error
    included = [line[3:].strip() for line in lines if line.startswith("-r ")]
    return [path, *(one for name in included for one in _locks((path.parent / name).resolve()))]


def _wanted(spec: TargetSpec) -> list[str]:
    """Return the requirements that the target's lock, or one that it includes, was made of."""
    files = [path.with_name(WANTED) for path in _locks(TARGETS_FOLDER / spec.name / LOCK)]
    found = [file for file in files if file.is_file()]
    if not found:
        raise TargetEnvironmentError(
            f"{spec.text}: {files[0]} is missing, so what {spec.name} needs beside the package "
            "itself is not known.\nList it there, as pip reads it; the lock is made of it."
        )
    lines = (line.partition(" #")[0].strip() for one in found for line in one.open())
    return [line for line in lines if line and not line.startswith(("#", "-"))]
