"""Lists the selftests and runs one."""

from __future__ import annotations

import importlib
import logging
import os
import pkgutil
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import perf_pipeline.selftest
from perf_pipeline.config.settings import current_settings
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.host.load_lock import load_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, MutableMapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from perf_pipeline.selftest.figure import Figure, Size

_log = logging.getLogger(__name__)
_STATE_HOME = "XDG_STATE_HOME"
_PREFIX = "perf-pipeline-selftest-"


@dataclass(frozen=True)
class SelftestResult:
    """The result of one run of a selftest.

    Attributes:
        name: The selftest.
        size: How much it did.
        seed: Source of its random choices.
        figures: In the order in which they were measured; not empty.
        seconds: How long it took.
    """

    name: str
    size: Size
    seed: int
    figures: tuple[Figure, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        """True when every figure is within its limit."""
        return all(figure.passed for figure in self.figures)

    def as_json(self) -> dict[str, Any]:
        """Return the object that ``perf-pipeline selftest --json`` ends with."""
        return {
            "name": self.name,
            "size": self.size.value,
            "seed": self.seed,
            "figures": [figure.as_json() for figure in self.figures],
            "pass": self.passed,
            "seconds": round(self.seconds, 3),
        }


def selftests() -> dict[str, str]:
    """Return the claim of every selftest, by name, in alphabetical order."""
    found = {}
    for module in pkgutil.iter_modules(perf_pipeline.selftest.__path__):
        loaded = importlib.import_module(f"{perf_pipeline.selftest.__name__}.{module.name}")
        if hasattr(loaded, "run"):
            found[module.name] = (loaded.__doc__ or module.name).strip().splitlines()[0]
    return dict(sorted(found.items()))


def run_selftest(
    name: str,
    size: Size,
    seed: int,
    clock_s: Callable[[], float] = time.monotonic,
    *,
    lock_path: Path | None = None,
) -> SelftestResult:
    """Run one selftest while no load runs on this host; the user's state folder is left as it is.

    A selftest with ``TAKES_LOAD_LOCK = True`` starts load runs, which take the lock themselves.

    Args:
        name: One of ``selftests()``.
        size: How much to do.
        seed: Source of every random choice.
        clock_s: A clock that does not go back.
        lock_path: The host's lock of load runs; None for that of the settings.

    Raises:
        PerfPipelineError: There is no such selftest, or it measured nothing at all.
    """
    if name not in selftests():
        raise PerfPipelineError(f"no selftest {name!r}; there are: {', '.join(selftests())}")
    module = importlib.import_module(f"{perf_pipeline.selftest.__name__}.{name}")
    run: Callable[[Size, int], list[Figure]] = module.run
    with ExitStack() as stack:
        if not getattr(module, "TAKES_LOAD_LOCK", False):
            stack.enter_context(_only_load(name, lock_path))
        stack.enter_context(_state_of_its_own(os.environ))
        started_s = clock_s()
        figures = tuple(run(size, seed))
        seconds = clock_s() - started_s
    if not figures:
        raise PerfPipelineError(f"selftest {name} gave no figure, so it proves nothing")
    return SelftestResult(name, size, seed, figures, seconds)


@contextmanager
def _state_of_its_own(environ: MutableMapping[str, str]) -> Iterator[None]:
    """Let this process and its children keep state in a folder that is gone after the block.

    What a selftest plays is in no link to reports, no log and no lease of the user's, and a
    Prometheus that the user has started does not scrape it.
    """
    before = environ.get(_STATE_HOME)
    temp_dir = current_settings().temp_dir
    with tempfile.TemporaryDirectory(
        prefix=_PREFIX, dir=temp_dir, ignore_cleanup_errors=True
    ) as folder:
        environ[_STATE_HOME] = folder
        try:
            yield
        finally:
            del environ[_STATE_HOME]
            environ.update({} if before is None else {_STATE_HOME: before})


def _only_load(name: str, lock_path: Path | None) -> AbstractContextManager[None]:
    """Wait until no load runs on this host, which would disturb the selftest and be disturbed."""
    path = lock_path or current_settings().lock_path
    holder = f"selftest {name}, process {os.getpid()}"
    return load_lock(path, holder, _log.info, time.sleep)
