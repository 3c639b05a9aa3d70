"""One arm of a bisection in the world: releases are installed, tried, and compared interleaved."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perf_pipeline.ab_run import compare_interleaved
from perf_pipeline.bisect.smoke import smoke_problem
from perf_pipeline.config.duration import DEFAULT_WAIT_S
from perf_pipeline.config.interleaved.arms import AbArm, AbQuestion
from perf_pipeline.config.scenario.target_spec import PINNED, parse_target, target_facts
from perf_pipeline.errors import TargetEnvironmentError
from perf_pipeline.loadgen.environment.environment import find_uv, make_environment
from perf_pipeline.loadgen.environment.packages import normalised, package_of_module

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from perf_pipeline.bisect.budget import Budget
    from perf_pipeline.config.interleaved.arms import ArmName
    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.config.scenario.target_spec import TargetSpec
    from perf_pipeline.config.settings import Settings
    from perf_pipeline.loadgen.environment.environment import TargetEnvironment
    from perf_pipeline.metrics.types.comparison import Comparison

_SHOWN_LINES = 2
_NO_MODULE = re.compile(r"No module named \W?(\w+)")


@dataclass
class ReleaseArm:
    """Measures releases of a target: a ``Measurer`` of the search.

    Attributes:
        target: The target, without a version; its packages are in every environment.
        is_pinned: Whether the other packages are those of the target's lock.
        scenario: What both arms of a comparison play.
        settings: Where things are.
        metric: The metric that decides.
        budget: How long the levels of a comparison may take.
        notify: Called with each line to show.
        wait_s: How long to wait for another load run on this host.
        package_of: Returns the package that brings a module to a release as published.
        added: Packages that every pinned release has besides, as the first one imports them and
            the lock lacks them: ``requests==2.34.2``. No others are compared with it.
    """

    target: TargetSpec
    is_pinned: bool
    scenario: Scenario
    settings: Settings
    metric: str
    budget: Budget
    notify: Callable[[str], None] = lambda _text: None
    wait_s: float = DEFAULT_WAIT_S
    package_of: Callable[[str, str], str] = lambda _release, _module: ""
    added: tuple[str, ...] = ()
    _problems: dict[str, str] = field(default_factory=dict, init=False)
    _environments: dict[str, TargetEnvironment] = field(default_factory=dict, init=False)

    def text_of(self, release: str) -> str:
        """Return the text that names a release of the target in this arm."""
        pinned = PINNED if self.is_pinned else ""
        own = f"{self.target.name}=={release}{pinned}"
        return "+".join([own, *self.target.packages, *self.added])

    def problem(self, release: str) -> str:
        """Install a release and try it; return why it cannot be measured, or nothing."""
        if release not in self._problems:
            self._problems[release] = self._found_problem(release)
        return self._problems[release]

    def _found_problem(self, release: str) -> str:
        """Try a release; the first pinned one gets what it imports and the lock lacks."""
        is_first = not self._problems
        while True:
            self.notify(f"{self.text_of(release)}: finding or making its environment")
            why = self._tried(release)
            module = missing_module(why) if self.is_pinned and is_first else ""
            package = self.package_of(release, module) if module else ""
            if not package or "+" in package or package in self.added:
                return why
            self.added = (*self.added, package)
            self.notify(f"every pinned release gets {package}, which {release} requires")

    def packages(self, release: str) -> Mapping[str, str]:
        """Return the packages beside the target in the environment of an installed release."""
        own = normalised(target_facts(self.target.name).package)
        found = self._environments[release].packages
        return {name: version for name, version in found.items() if name != own}

    def package_with(self, release: str, module: str) -> str:
        """Return the package that brings a module to a release that was tried, or empty text.

        Only what a release itself requires is ever added: anybody may publish a package that is
        named like a module.
        """
        made = self._environments.get(release)
        return package_of_module(made.python.parent.parent, module) if made else ""

    def compare(self, good: str, candidate: str, effort: int, width: float) -> Comparison:
        """Compare two installed releases in one interleaved measurement."""
        a, b = self._arm("a", good), self._arm("b", candidate)
        self.notify(f"comparing {b.target} with {a.target}, effort {effort}")
        return compare_interleaved(
            self.scenario,
            AbQuestion(a, b, width, self.budget.levels_s(effort), bisected_metric=self.metric),
            self.settings,
            notify=self.notify,
            environments={
                arm.target: self._environments[release]
                for arm, release in ((a, good), (b, candidate))
            },
            wait_s=self.wait_s,
        )

    def _arm(self, name: ArmName, release: str) -> AbArm:
        return AbArm(name, self.text_of(release), self.scenario.settings)

    def _tried(self, release: str) -> str:
        text = self.text_of(release)
        try:
            environment = make_environment(
                parse_target(text),
                cache_dir=self.settings.cache_dir,
                environ=os.environ,
                uv=find_uv(os.environ),
            )
        except TargetEnvironmentError as error:
            return f"it does not install: {last_lines(str(error))}"
        self._environments[release] = environment
        return smoke_problem(
            self.scenario,
            self._arm("a", release),
            environment,
            self.settings,
            notify=self.notify,
            wait_s=self.wait_s,
        )


def missing_module(why: str) -> str:
    """Return the module that a release lacked when it was tried; empty if it lacked none."""
    found = _NO_MODULE.search(why)
    return found[1] if found else ""


def last_lines(error: str) -> str:
    """Return what an installer said last, in one line; the line after it is our advice."""
    said = error.strip().splitlines()[:-1] or [error.strip()]
    return " ".join(line.strip() for line in said[-_SHOWN_LINES:])[:300]
