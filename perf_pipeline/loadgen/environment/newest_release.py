"""The newest release of a package in the index, and the next after one, as uv would install it."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

from perf_pipeline.errors import TargetEnvironmentError
from perf_pipeline.loadgen.environment.interpreter import base_interpreter
from perf_pipeline.loadgen.environment.package_index import installer_variables, without_index

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ASK_LIMIT_S = 25.0
"""Dagster gives a sensor's tick 60 s, in which both are asked for."""


def newest_release(package: str, uv: Path | None, environ: Mapping[str, str]) -> str:
    """Ask the configured index for the newest release that this machine's Python can have.

    Args:
        package: Name of a distribution.
        uv: The uv to ask with (see ``find_uv``), or None if there is none.
        environ: Names the index (see ``package_index``).

    Returns:
        The version, as a requirement would name it; pre-releases are none.

    Raises:
        TargetEnvironmentError: There is no uv, or no answer that names a version.
    """
    return _resolved(package, package, "highest", uv, environ)


def next_release(package: str, after: str, uv: Path | None, environ: Mapping[str, str]) -> str:
    """Ask likewise for the oldest release after one: the next that is to be measured.

    Args:
        package: Name of a distribution.
        after: A version; there is a newer one.
        uv: As of ``newest_release``.
        environ: Likewise.

    Raises:
        TargetEnvironmentError: There is no uv, or no answer that names a version.
    """
    return _resolved(package, f"{package}>{after}", "lowest-direct", uv, environ)


def _resolved(
    package: str, requirement: str, resolution: str, uv: Path | None, environ: Mapping[str, str]
) -> str:
    if uv is None:
        raise TargetEnvironmentError(
            f"The newest release of {package} is not known: asking for it takes uv, and there is "
            "none on PATH; `make setup` brings one where it is missing."
        )
    no_index = ("--no-index",) if without_index(environ) else ()
    plain = (*no_index, "--quiet", "--no-deps", "--no-header", "--no-annotate", "--upgrade")
    command: list[str | Path] = [uv, "pip", "compile", *plain, "--resolution", resolution]
    command += ["--python", base_interpreter(), "-"]
    try:
        answer = subprocess.run(
            command,
            input=f"{requirement}\n",
            env=installer_variables(environ),
            capture_output=True,
            text=True,
            timeout=ASK_LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise TargetEnvironmentError(_no_answer(package, str(error))) from error
    found = re.search(rf"(?im)^{re.escape(package)}==(\S+)", answer.stdout)
    if answer.returncode != 0 or found is None:
        raise TargetEnvironmentError(_no_answer(package, answer.stderr.strip()[-600:]))
    return found[1]


def _no_answer(package: str, detail: str) -> str:
    return (
        f"The index did not say which release of {package} is the newest.\n{detail}\n"
        "Is there a network, and a package index? (UV_DEFAULT_INDEX, PIP_INDEX_URL, proxies)"
    )
