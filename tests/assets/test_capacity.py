"""The job ``capacity`` searches on a known target and shows what it found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.assets.conftest import latest
from tests.sandbox import SLOTS_SCENARIO

if TYPE_CHECKING:
    from tests.sandbox import Sandbox


@pytest.mark.alone
@pytest.mark.integration
@pytest.mark.slow
def test_the_job_shows_the_capacity_with_its_page_and_its_numbers(sandbox: Sandbox) -> None:
    """4 slots of 20 ms, each in use somewhat longer: 8 in flight take 40 ms, 16 take 80."""
    file = sandbox.folder / "slots.toml"
    file.write_text(SLOTS_SCENARIO, encoding="utf-8")
    asked = {
        "scenario": str(file),
        "slos": ["avg_s < 0.06"],
        "max_load": 16,
        "results_dir": str(sandbox.results),
    }
    config = sandbox.folder / "capacity.json"
    config.write_text(json.dumps({"ops": {"found_capacity": {"config": asked}}}), encoding="utf-8")

    ran = sandbox.dagster("job", "execute", "-j", "capacity", "-c", str(config))

    assert ran.returncode == 0, ran.stdout
    shown = latest(sandbox.dagster_home).materialized["found_capacity"]
    assert shown["verdict"] == "found"
    assert 4 <= shown["capacity"] <= 12
    assert shown["capacity"] < shown["below"] <= 16
    assert Path(shown["html"]).read_text(encoding="utf-8").startswith("<!doctype html>")
    assert "in flight meets avg" in shown["summary"]
