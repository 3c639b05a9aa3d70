"""The table of the flags of an interleaved comparison: its two arms, and when it ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.config.flags.flag import flag, flags_of
from perf_pipeline.config.flags.overrides import Overrides
from perf_pipeline.config.scenario.keys import TARGET, Key

if TYPE_CHECKING:
    from perf_pipeline.config.flags.flag import Flag

_REVISION = Key("revision", "text", "a revision of git: branch, tag or commit", 1, 200)
_WIDTH = Key("width_percent", "number", "% to either side of an effect", 0.1, 50)
_BUDGET = Key("budget_s", "number", "s, maximum time of all levels", 1, 7 * 86_400)
_PAIRS = Key("pairs", "integer", "pairs of levels at most", 1, 1000)


@dataclass(frozen=True)
class AbFlags:
    """The flags that were given; None where one was not.

    Attributes:
        a: Target of arm A, the baseline.
        b: Target of arm B, the candidate.
        a_settings: ``NAME=VALUE`` of settings of arm A's target.
        b_settings: Likewise of arm B.
        a_rev: Git revision of the user's own code in arm A.
        b_rev: Likewise in arm B.
        width_percent: Half of the width at which intervals are narrow enough, percent.
        budget_s: Maximum time of all levels, seconds.
        max_pairs: Maximum number of pairs.
    """

    a: str | None = flag(
        "--a",
        TARGET,
        "Arm A, the baseline: a target like kailash==2.19.0+pandas; default: the scenario's",
        "Comparison",
        metavar="TARGET",
    )
    b: str | None = flag(
        "--b",
        TARGET,
        "Arm B, the candidate; default: the target of arm A",
        "Comparison",
        metavar="TARGET",
    )
    a_settings: tuple[str, ...] | None = flag(
        "--a-setting",
        None,
        "A setting of arm A's target; may be repeated",
        "Comparison",
        metavar="NAME=VALUE",
    )
    b_settings: tuple[str, ...] | None = flag(
        "--b-setting",
        None,
        "A setting of arm B's target; may be repeated",
        "Comparison",
        metavar="NAME=VALUE",
    )
    a_rev: str | None = flag(
        "--a-rev",
        _REVISION,
        "Git revision of your own functions in arm A; default: the files as they are",
        "Comparison",
        metavar="REVISION",
    )
    b_rev: str | None = flag(
        "--b-rev",
        _REVISION,
        "Git revision of your own functions in arm B; default: the files as they are",
        "Comparison",
        metavar="REVISION",
    )
    width_percent: float | None = flag(
        "--width",
        _WIDTH,
        "End when the effects that decide are known to so many percent either way; default: 2",
        "Comparison",
        metavar="PERCENT",
    )
    budget_s: float | None = flag(
        "--budget",
        _BUDGET,
        "End when the levels have taken this long: 10m, 2h, or seconds; default: 30m",
        "Comparison",
        metavar="TIME",
    )
    max_pairs: int | None = flag(
        "--pairs", _PAIRS, "End after so many pairs; default: 100", "Comparison", metavar="N"
    )


_OF_ARMS = ("target", "settings")
_OF_RUNS = ("max_concurrency", "stages", "repeats", "order", "slos")
"""An interleaved comparison plays one load, in an order of its own, and has no objectives."""


def flags_for_ab() -> tuple[Flag, ...]:
    """Return the flags of ``run`` that an interleaved comparison has as well."""
    return tuple(one for one in flags_of(Overrides) if one.field not in (*_OF_ARMS, *_OF_RUNS))
