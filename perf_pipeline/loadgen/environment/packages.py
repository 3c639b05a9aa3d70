"""The packages of an environment: name to version, and the hash of the list."""

from __future__ import annotations

import hashlib
import importlib.metadata
import re
from typing import TYPE_CHECKING

from perf_pipeline.errors import TargetEnvironmentError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def installed_packages(folder: Path) -> dict[str, str]:
    """Read the distributions installed in an environment: name to version, by name."""
    found = _distributions(folder)
    return dict(sorted((normalised(one.metadata["Name"]), one.version) for one in found))


def required_packages(folder: Path) -> frozenset[str]:
    """Return the names that the distributions of an environment require, extras apart."""
    lines = (line for one in _distributions(folder) for line in one.requires or ())
    return frozenset(requirement_name(line) for line in lines if "extra ==" not in line)


def package_of_module(folder: Path, module: str) -> str:
    """Return the distribution of an environment that brings a module, as ``name==version``.

    Returns:
        Empty text if none does.
    """
    for one in _distributions(folder):
        if module in {file.parts[0].partition(".")[0] for file in one.files or ()}:
            return f"{normalised(one.metadata['Name'])}=={one.version}"
    return ""


def packages_hash(packages: Mapping[str, str]) -> str:
    """Return the SHA-256, hexadecimal, of one line ``name==version`` a package, by name."""
    lines = "".join(f"{name}=={version}\n" for name, version in sorted(packages.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def requirement_name(line: str) -> str:
    """Return the name at the beginning of a requirement, as ``normalised``; empty for none."""
    found = _NAME.match(line)
    return normalised(found[0]) if found else ""


def normalised(name: str) -> str:
    """Spell a distribution's name as a lock does (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _distributions(folder: Path) -> Iterator[importlib.metadata.Distribution]:
    site = next(iter(sorted(folder.glob("lib/python3*/site-packages"))), None)
    if site is None:
        raise TargetEnvironmentError(f"{folder} has no folder of packages: remove it, run again.")
    return iter(importlib.metadata.distributions(path=[str(site)]))
