"""A Python of the user's own is used as it is."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest

from perf_pipeline.config.scenario.target_spec import TargetSpec
from perf_pipeline.errors import TargetEnvironmentError
from perf_pipeline.loadgen.environment.interpreter import read_interpreter
from tests.integration.environments.bench import Bench, locked

pytestmark = pytest.mark.integration


def python_that_says(folder: Path, text: str) -> Path:
    """Write a program that answers any question with a text."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\necho '{text}'\n")
    path.chmod(0o755)
    return path


def test_an_interpreter_is_used_as_it_is_with_the_packages_it_has(bench: Bench) -> None:
    own = bench.make().python
    before = sorted(own.parents[1].rglob("*"))
    given = bench.make(locked("callable"), interpreter=own, uv=Path("/gone/uv"))
    assert given.python == own
    assert given.packages == {"spam": "1.0"}
    assert given.lock_hash == hashlib.sha256(b"spam==1.0\n").hexdigest()
    assert sorted(own.parents[1].rglob("*")) == before


def test_packages_asked_for_beside_an_interpreter_are_refused(bench: Bench) -> None:
    spec = TargetSpec("callable+eggs", "callable", None, ("eggs",))
    with pytest.raises(TargetEnvironmentError, match=r"nothing is installed into .*python"):
        bench.make(spec, interpreter=Path(sys.executable))


def test_an_interpreter_without_the_runtime_is_refused_with_what_is_missing(bench: Bench) -> None:
    own = bench.make().python
    with pytest.raises(TargetEnvironmentError) as caught:
        bench.make(locked("kailash"), interpreter=own)
    assert f"{own} (Python 3." in str(caught.value)
    assert "cannot run the target kailash: perf_pipeline.targets.kailash" in str(caught.value)
    assert "No module named 'kailash'" in str(caught.value)


def test_an_interpreter_that_is_too_old_is_refused_with_its_version(tmp_path: Path) -> None:
    old = python_that_says(tmp_path, '{"version": [3, 9, 18], "packages": [], "problem": null}')
    with pytest.raises(TargetEnvironmentError, match=r"Python 3\.9\.18; workers need 3\.11"):
        read_interpreter(old, "callable")


def test_what_is_no_python_is_refused_with_what_it_said(tmp_path: Path) -> None:
    other = python_that_says(tmp_path, "hello")
    with pytest.raises(TargetEnvironmentError, match="does not answer like a Python interpreter"):
        read_interpreter(other, "callable")
    with pytest.raises(TargetEnvironmentError, match=r"/no/python.*No such file"):
        read_interpreter(Path("/no/python"), "callable")


def test_of_two_packages_of_one_name_the_one_that_is_imported_counts(tmp_path: Path) -> None:
    said = '{"version": [3, 11, 2], "packages": [["Sp.am", "1"], ["sp-am", "2"]], "problem": null}'
    assert read_interpreter(python_that_says(tmp_path, said), "callable") == {"sp-am": "1"}
