"""Obtains Prometheus, Alertmanager and exporters: Debian's packages, unpacked into our cache.

::

    python -m perf_pipeline.servers.monitors.obtain

They are unpacked for root as well: installed, they would be started as services of the system.
Does nothing where Prometheus and Alertmanager are available already. Always exits 0: what needs
them says that they are missing.
"""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

from perf_pipeline.config.settings import current_settings
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.exit_code import Exit
from perf_pipeline.program.program import run_program
from perf_pipeline.servers.lifecycle.debian import PackageError, unpack_alone
from perf_pipeline.servers.lifecycle.unpacked import unpacked_root
from perf_pipeline.servers.monitors.monitor import UNPACKED, find_program

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from perf_pipeline.config.settings import Settings

HOW_TO_GET = (
    "`make monitoring` unpacks Debian's packages into the cache (no root, 50 MB), or put "
    "`prometheus`, `promtool`, `prometheus-alertmanager` and `amtool` on PATH."
)
NEEDED = ("prometheus", "promtool", "prometheus-alertmanager", "amtool")
_PACKAGES = (
    "prometheus",
    "prometheus-alertmanager",
    *(f"prometheus-{what}-exporter" for what in ("node", "redis", "postgres", "mysqld")),
)
_ALERTMANAGERS_FOLDER = b"/usr/share/prometheus/alertmanager"
_WORKING_FOLDER = b"/proc/self/cwd" + b"/." * 10
"""Of the same length: where Debian's Alertmanager has been unpacked, it finds its templates in the
folder that it is started in."""


def obtain_monitoring(settings: Settings, notify: Callable[[str], None]) -> bool:
    """Make Prometheus, Alertmanager and the exporters available on this machine.

    Args:
        settings: Name the folders.
        notify: Called with each step, and with what to do if one fails.

    Returns:
        Whether Prometheus and Alertmanager are available now.
    """
    if _are_available(settings):
        return True
    tools = ("apt-get", "dpkg")
    lacking = [name for name in tools if not shutil.which(name, path=settings.search_path)]
    if lacking:
        notify(f"{' and '.join(lacking)} not found. Monitoring: {HOW_TO_GET}")
        return False
    root = unpacked_root(settings.cache_dir, UNPACKED)
    notify(f"unpacking Debian's Prometheus, Alertmanager and exporters into {root}")
    try:
        unpack_alone(_PACKAGES, root)
    except PackageError as error:
        notify(f"Prometheus is not available: {error}\nMonitoring: {HOW_TO_GET}")
        return False
    find_templates_beside(root / "usr/bin/prometheus-alertmanager")
    return _are_available(settings)


def find_templates_beside(program: Path) -> None:
    """Change an unpacked Alertmanager so that it looks for templates in its working folder."""
    code = program.read_bytes()
    if _ALERTMANAGERS_FOLDER not in code:
        return
    changed = program.with_suffix(".changed")
    changed.write_bytes(code.replace(_ALERTMANAGERS_FOLDER, _WORKING_FOLDER))
    changed.chmod(0o755)
    changed.replace(program)


def _are_available(settings: Settings) -> bool:
    return all(find_program(settings, name) for name in NEEDED)


def main(arguments: list[str]) -> int:
    """Obtain them; return the exit code."""
    if arguments:
        sys.stderr.write("usage: python -m perf_pipeline.servers.monitors.obtain\n")
        return Exit.BAD_INPUT
    try:
        settings = current_settings()
    except PerfPipelineError as error:
        sys.stderr.write(f"{error}\n")
        return Exit.BAD_INPUT
    obtain_monitoring(settings, lambda line: print(line, flush=True))  # noqa: T201
    return Exit.COMPLETE


if __name__ == "__main__":
    run_program(main)
