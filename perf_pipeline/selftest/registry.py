"""Which selftests there are, and how one is run."""

from __future__ import annotations

import importlib
import pkgutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import perf_pipeline.selftest
from perf_pipeline.errors import PerfPipelineError

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.selftest.figure import Figure, Size


@dataclass(frozen=True)
class Outcome:
    """What one run of a selftest found.

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
        """True when every figure keeps its limit."""
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
    name: str, size: Size, seed: int, clock_s: Callable[[], float] = time.monotonic
) -> Outcome:
    """Run one selftest.

    Args:
        name: One of ``selftests()``.
        size: How much to do.
        seed: Source of every random choice.
        clock_s: A clock that does not go back.

    Raises:
        PerfPipelineError: There is no such selftest, or it measured nothing at all.
    """
    if name not in selftests():
        raise PerfPipelineError(f"no selftest {name!r}; there are: {', '.join(selftests())}")
    run: Callable[[Size, int], list[Figure]] = importlib.import_module(
        f"{perf_pipeline.selftest.__name__}.{name}"
    ).run
    started_s = clock_s()
    figures = tuple(run(size, seed))
    if not figures:
        raise PerfPipelineError(f"selftest {name} gave no figure, so it proves nothing")
    return Outcome(name, size, seed, figures, clock_s() - started_s)
