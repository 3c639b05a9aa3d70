"""The text that names a target: a name, and optionally a version and extra packages.

``kailash==2.19.0+pandas+numpy==2.2.0`` is the target ``kailash`` with the package of that name at
2.19.0, and two packages more. ``kailash==2.19.0@lock`` is that release with every other package as
the target's lock has it, whatever the release itself requires: two such releases differ in their
own code alone. Each such text is an environment of its own. The parts are split at ``+``, so a
version with a local part (``1.0+cpu``) cannot be named; give an interpreter.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perf_pipeline.config.scenario.scenario import Sort

TARGETS_FOLDER = Path(__file__).parents[2] / "targets"

PINNED = "@lock"
"""Ends a version whose other packages are those of the target's lock."""

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_VERSION = re.compile(r"[0-9][A-Za-z0-9.!_-]*")
_PACKAGE = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[A-Za-z0-9,._-]+\])?((==|~=|>=|<=|<|>)[^+ ]+)?"
)


@dataclass(frozen=True)
class TargetSpec:
    """A target's text in parts.

    Attributes:
        text: As it was given; what reports show, and the key of the environment.
        name: Folder of ``targets``.
        version: Version of the target's own package; None for the locked one.
        packages: Extra packages, as pip and uv read them.
        is_pinned: True when the other packages of a version are those of the target's lock.
    """

    text: str
    name: str
    version: str | None
    packages: tuple[str, ...]
    is_pinned: bool = False

    @property
    def is_locked(self) -> bool:
        """True when the target's lock names every package."""
        return self.version is None and not self.packages


@dataclass(frozen=True)
class TargetFacts:
    """The content of ``targets/<name>/target.toml``.

    Attributes:
        name: Folder of ``targets``.
        title: One line for people.
        mode: ``threads``: a slot is a thread; ``asyncio``: a slot is a task of one event loop.
        package: Distribution that ``==version`` is about; empty when there is none.
        functions: True when workloads are a user's own functions, not families.
        requests: True when they are requests to a server behind HTTP.
        settings: Name of each setting to its kind (``boolean``, ``integer``, ``number``,
            ``text``), ``default``, ``low``, ``high``, ``choices`` and ``meaning``.
    """

    name: str
    title: str
    mode: Literal["threads", "asyncio"]
    package: str
    functions: bool
    requests: bool
    settings: dict[str, dict[str, Any]]

    @property
    def plays(self) -> Sort:
        """The sort of workload that it takes."""
        if self.requests:
            return "requests"
        return "functions" if self.functions else "families"


def target_names() -> tuple[str, ...]:
    """Return every folder of ``targets`` with an adapter: adding one touches nothing else."""
    return tuple(sorted(path.parent.name for path in TARGETS_FOLDER.glob("*/adapter.py")))


def parse_target(text: str) -> TargetSpec:
    """Read a target's text.

    Raises:
        ValueError: It is not of the form ``name[==version][+package]...``, or there is no such
            target; the text says which part, as the end of a sentence.
    """
    head, *packages = text.split("+")
    name, separator, version = head.partition("==")
    is_pinned = version.endswith(PINNED)
    version = version.removesuffix(PINNED)
    if not _NAME.fullmatch(name) or name not in target_names():
        raise ValueError(f"names no target; there are {', '.join(target_names())}")
    if separator and not _VERSION.fullmatch(version):
        raise ValueError(
            f'has the version {version!r}; a version is like "2.19.0", or "2.19.0{PINNED}"'
        )
    if separator and not target_facts(name).package:
        raise ValueError(f"has a version, but {name} has no package of its own")
    for package in packages:
        if not _PACKAGE.fullmatch(package):
            raise ValueError(f'adds {package!r}; a package is like "pandas" or "pandas==2.2"')
    return TargetSpec(text, name, version or None, tuple(packages), is_pinned)


def target_fields(text: str) -> dict[str, str | list[str]]:
    """Return a target's text as the fields that a form has for it: name, version, packages.

    Raises:
        ValueError: As ``parse_target``.
    """
    spec = parse_target(text)
    pinned = PINNED if spec.is_pinned else ""
    return {
        "target": spec.name,
        **({"target_version": f"{spec.version}{pinned}"} if spec.version else {}),
        **({"target_packages": list(spec.packages)} if spec.packages else {}),
    }


def target_text(name: str, version: str | None, packages: Sequence[str]) -> str:
    """Return the text of a target from the fields of a form."""
    return "+".join([f"{name}=={version}" if version else name, *packages])


@cache
def target_facts(name: str) -> TargetFacts:
    """Return the facts of a target.

    Raises:
        OSError, tomllib.TOMLDecodeError, KeyError: Its ``target.toml`` is missing or wrong.
    """
    raw = tomllib.loads((TARGETS_FOLDER / name / "target.toml").read_text(encoding="utf-8"))
    return TargetFacts(
        name=name,
        title=raw["title"],
        mode=raw["mode"],
        package=raw.get("package", ""),
        functions=raw.get("functions", False),
        requests=raw.get("requests", False),
        settings=raw.get("settings", {}),
    )


def with_defaults(name: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Return every setting of a target: those given, and the defaults of the others."""
    defaults = {key: row["default"] for key, row in target_facts(name).settings.items()}
    return {**defaults, **settings}


_PROTECTIONS = (
    "retries",
    "breaker_failures",
    "runtime_retries",
    "runtime_breaker_failures",
    "branching",
)


def in_effect(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings without protections that are off: a run before there were any is like them.

    Args:
        settings: Every setting of a target.
    """
    return {name: value for name, value in settings.items() if value or name not in _PROTECTIONS}
