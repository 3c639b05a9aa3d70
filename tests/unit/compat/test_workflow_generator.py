"""What cannot be generated is reported, and how to get it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from perf_pipeline import WorkflowGenerator
from perf_pipeline.errors import PerfPipelineError

ROOT = Path(__file__).resolve().parents[3]

WITHOUT_PACKAGES = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from perf_pipeline import WorkflowGenerator
WorkflowGenerator().generate_transformation_workflow()
"""


def test_without_kailash_the_error_names_how_to_get_it() -> None:
    """In an interpreter without any package: it imports nothing of the harness either."""
    command = [sys.executable, "-I", "-S", "-c", WITHOUT_PACKAGES]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert "PerfPipelineError: kailash cannot be imported by" in ended.stderr
    assert f"uv pip install --python {sys.executable} kailash" in ended.stderr


def test_a_type_that_uses_a_server_needs_one() -> None:
    with pytest.raises(PerfPipelineError, match="analytics/medium uses postgres, redis: give"):
        WorkflowGenerator().generate_analytics_workflow()


def test_wrong_arguments_are_reported() -> None:
    with pytest.raises(ValueError, match='complexity is "hard"; allowed is'):
        WorkflowGenerator("hard")
    with pytest.raises(ValueError, match='did you mean "transformation"'):
        WorkflowGenerator().generate_workflow("transformations")
    with pytest.raises(ValueError, match="generate one first"):
        WorkflowGenerator().parameters("transformation")
