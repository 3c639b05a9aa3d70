"""The tables of failures in the lineage graph: when, the evidence, and how the target came back."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from assets.faults.rows import (
    evidence_row,
    protection_rows,
    recovery_row,
    table_of,
    timeline_row,
)
from perf_pipeline.metrics.types.fault.protection import ProtectionEffect
from tests.planted_recovery import fault, invalid, recovery


def _metrics(*faults: Any) -> Any:
    level = SimpleNamespace(label="busy", title="", role="level", recovery=recovery(*faults))
    level.shown = "busy"
    level.repeat = 0
    return SimpleNamespace(levels=(level,))


def test_each_failure_has_a_row_with_its_verdict_and_its_time() -> None:
    recovered, doubtful = table_of(_metrics(fault(), invalid()), recovery_row)

    assert recovered.data["verdict"] == "recovered"
    assert str(recovered.data["time to recover (s)"]).startswith("1.2 [")
    assert recovered.data["failure"] == "database_timeout on postgres"
    assert doubtful.data["verdict"] == "invalid"
    assert doubtful.data["why"]


def test_the_timeline_says_never_of_what_never_happened() -> None:
    row = timeline_row(fault())
    assert row["planned at (s)"] == fault().at_s
    never = [name for name, value in timeline_row(invalid()).items() if value == "never"]
    moments = invalid().moments
    assert len(never) == sum(value is None for value in vars(moments).values())


def test_the_evidence_is_the_share_of_the_window() -> None:
    row = evidence_row(fault())
    assert row["in effect (% of the window)"] == round(100 * fault().evidence_share, 1)
    assert row["observations"] == len(fault().signs)


def test_a_run_without_failures_has_no_rows() -> None:
    assert table_of(SimpleNamespace(levels=()), recovery_row) == []  # type: ignore[arg-type]


def test_a_protection_without_an_effect_is_called_so() -> None:
    one = ProtectionEffect(
        *("server_crash", "redis", 15.0, 8.0, "plain", "retried"),
        switched={"retries": 3},
        target="kailash",
        validity="valid",
        verdict="no_effect",
    )
    (row,) = protection_rows(SimpleNamespace(protections=(one,)))  # type: ignore[arg-type]
    assert row.data == {
        "setting": "retries = 3",
        "failure": "server_crash on Redis",
        "effect": "no effect on this workflow",
    }
