"""What a check found is shown by the UI as it was written, whoever wrote it."""

from __future__ import annotations

import dagster as dg

from assets.checks import CHECKS, check_result
from perf_pipeline.report.run.checks import CheckFinding


def test_a_text_of_a_target_is_no_markdown_of_the_page() -> None:
    """An image in an error's text would be fetched."""
    finding = CheckFinding(
        passed=False,
        severity="ERROR",
        sentences=("boom <script> ![](http://evil.example/p.png)", "What to do: look."),
        facts={"10": "3 failed"},
    )
    result = check_result("no_errors", finding, {"errors (%): 10": 30.0})
    assert result.description == (
        "boom &lt;script> !\\[\\](http://evil.example/p.png)\n\nWhat to do: look."
    )
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert result.metadata == {
        "10": dg.MetadataValue.text("3 failed"),
        "errors (%): 10": dg.MetadataValue.float(30.0),
    }
    assert result.asset_key == dg.AssetKey("run_metrics")


def test_a_check_that_passes_keeps_its_severity() -> None:
    passed = CheckFinding(passed=True, severity="WARN", sentences=("fine",), facts={})
    assert check_result("validity", passed, {}).severity == dg.AssetCheckSeverity.WARN
    assert "validity" in CHECKS
