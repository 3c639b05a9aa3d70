"""The two arms of an interleaved comparison, and when it has seen enough; part of the manifest.

Annotations are evaluated here, so that a manifest is read back into the same types.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from perf_pipeline.config.scenario.scenario import SettingValue

ArmName = Literal["a", "b"]
DEFAULT_WIDTH_PERCENT = 2.0
DEFAULT_BUDGET_S = 1800.0
DEFAULT_PAIRS = 100


@dataclass(frozen=True)
class AbArm:
    """One arm of an interleaved comparison.

    Attributes:
        name: ``a``, the baseline, or ``b``, the candidate.
        target: As ``Scenario.target``.
        settings: As ``Scenario.settings``.
        revision: Git revision of the user's own code, as it was asked for; empty for the files as
            they are.
        commit: The commit that it names, 40 digits; empty before it is looked up.
    """

    name: ArmName
    target: str
    settings: Mapping[str, SettingValue] = field(default_factory=dict)
    revision: str = ""
    commit: str = ""

    @property
    def shown(self) -> str:
        """The arm for people: ``kailash==2.19.0, code at main (1a2b3c4)``."""
        settings = ", ".join(f"{name}={value}" for name, value in self.settings.items())
        code = ""
        if self.revision:
            code = f"code at {self.revision} ({self.commit[:7]})" if self.commit else self.revision
        return ", ".join(part for part in (self.target, settings, code) if part)

    @property
    def shown_code(self) -> str:
        """The user's own code for people: ``main (1a2b3c4)``, or that it is of no revision."""
        return f"{self.revision} ({self.commit[:7]})" if self.revision else "the files as they are"


@dataclass(frozen=True)
class AbQuestion:
    """Whether arm B differs from arm A.

    Attributes:
        a: The baseline.
        b: The candidate.
        width: Half of the relative width at which intervals are narrow enough.
        budget_s: Maximum time of all levels.
        max_pairs: Maximum number of pairs.
        bisected_metric: The metric that decides a bisection, where one asks; else empty.
    """

    a: AbArm
    b: AbArm
    width: float = DEFAULT_WIDTH_PERCENT / 100
    budget_s: float = DEFAULT_BUDGET_S
    max_pairs: int = DEFAULT_PAIRS
    bisected_metric: str = ""

    @property
    def has_revision(self) -> bool:
        """Whether an arm executes the user's own code as of a revision."""
        return bool(self.a.revision or self.b.revision)
