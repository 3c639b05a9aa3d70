"""Recoveries of every kind, as they are stored."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from perf_pipeline.config.fault.fault_window import FaultWindow
from perf_pipeline.metrics.types.fault.recovery import (
    Backlog,
    Estimate,
    FaultMoments,
    FaultRecovery,
    FaultSign,
    Harm,
    LevelRecovery,
    Retries,
    ServiceBaseline,
    ServiceSeries,
)
from perf_pipeline.metrics.types.open_load import Lag, OpenLoad
from perf_pipeline.samples.fault_log import FAULTS_FILE, line
from perf_pipeline.samples.run_folder import read_json, write_json

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.config.fault.fault_window import SettingValue
    from perf_pipeline.metrics.types.level import LevelMetrics

BASELINE = ServiceBaseline(
    start_s=11.2,
    end_s=20.0,
    due=440,
    rate_per_s=50.0,
    p99_s=0.06,
    error_share=0.0,
    good_share=1.0,
    limit_s=0.072,
    limit_of="baseline",
    as_before_s=0.072,
    as_before_low_s=0.07,
    as_before_high_s=0.075,
)


def fault(**more: Any) -> FaultRecovery:
    """Return a locked database of 3 s, from which the target recovered 1.2 s after it."""
    given: dict[str, Any] = {
        "kind": "database_timeout",
        "server": "postgres",
        "settings": {},
        "at_s": 8.8,
        "duration_s": 3.0,
        "verdict": "recovered",
        "why": "service was as before 1.2 s after it was gone",
        "moments": FaultMoments(20.0, 20.1, 23.1, 23.15),
        "evidence_share": 0.99,
        "observations": 12,
        "signs": tuple(
            FaultSign(20.1 + at / 4, in_effect=True, value=float(at), text=f"{at} locks waited for")
            for at in range(12)
        ),
        "watched_s": 30.0,
        "hold_s": 10.0,
        "time_to_recover_s": Estimate(1.2, 1.18, 1.3),
        "lost_service_s": Estimate(4.31, 4.2, 4.4),
        "harm": Harm(217, 210, 2, {"timeout": 150, "slow": 60}, 4.1, 4.2),
        "backlog": Backlog(2.0, 160.0, 1.1, is_shrinking=False),
        "overshoot_ratio": 2.4,
        "retries": Retries(1.0, 2.5, 1.1, 0.75),
    }
    return FaultRecovery(**{**given, **more})


def metastable() -> FaultRecovery:
    """Return a failure from which nothing came back."""
    return fault(
        verdict="metastable",
        why="the failure was gone, and service did not come back within 30 s",
        time_to_recover_s=None,
        backlog=Backlog(2.0, 160.0, None, is_shrinking=False),
    )


def invalid() -> FaultRecovery:
    """Return a failure that was never injected."""
    return fault(
        verdict="invalid",
        why="it was never injected: postgres is not ours",
        moments=FaultMoments(None, None, None, None),
        evidence_share=0.0,
        observations=0,
        signs=(),
        time_to_recover_s=None,
        lost_service_s=None,
        harm=None,
        backlog=None,
        overshoot_ratio=None,
        retries=None,
    )


def not_possible() -> FaultRecovery:
    """Return a failure that this machine cannot have."""
    why = "the kernel shows no block device"
    return replace(invalid(), kind="io_saturation", verdict="not_possible", why=why)


def recovery(*faults: FaultRecovery, **more: Any) -> LevelRecovery:
    """Return the failures of a level."""
    series = ServiceSeries(0.25, 11.2, due=(12,) * 80, good=(12,) * 40 + (0,) * 12 + (12,) * 28)
    given: dict[str, Any] = {"baseline": BASELINE, "series": series}
    return LevelRecovery(faults=faults, **{**given, **more})


def open_arm(
    level: LevelMetrics, found: LevelRecovery, label: str = "", **settings: SettingValue
) -> LevelMetrics:
    """Return an open level of 50/s with failures, whose target has these settings."""
    lag = Lag(440, 0.001, 0.002, 0.003)
    load = OpenLoad("50/s", "poisson", 400, 10.0, 440, 50.0, 50.0, 0, 440, 0, lag, lag, "", ())
    return replace(
        level,
        label=label or level.label,
        loop="open",
        open_load=load,
        settings={**level.settings, **settings},
        recovery=found,
    )


def log_fault(folder: Path, begins_s: float, length_s: float, *, acts: bool = True) -> None:
    """Write what plan and log of a level would say of a frozen Redis.

    Args:
        folder: The level's folder.
        begins_s: When it began, after the go.
        length_s: How long it lasted.
        acts: Whether it was observed to act, four times a second.
    """
    log = read_json(folder / "level.json")
    go_ns, (steady_ns, _) = log["go_ns"], log["phases_ns"]["steady"]
    begin_ns, gone_ns = (go_ns + round(1e9 * at_s) for at_s in (begins_s, begins_s + length_s))
    window = FaultWindow("server_freeze", "redis", (begin_ns - steady_ns) / 1e9, length_s)
    write_json(folder / "level.json", {**log, "plan": {**log["plan"], "faults": [asdict(window)]}})
    lines = [
        line(0, "planned", begin_ns, window=asdict(window)),
        *(line(0, step, begin_ns) for step in ("injecting", "in_effect")),
        *(
            line(0, "sign", at_ns, in_effect=acts, value=1.0, text="7 processes are stopped")
            for at_ns in range(begin_ns, gone_ns, 250_000_000)
        ),
        *(line(0, step, gone_ns) for step in ("undoing", "gone")),
    ]
    (folder / FAULTS_FILE).write_text("".join(lines), encoding="utf-8")
