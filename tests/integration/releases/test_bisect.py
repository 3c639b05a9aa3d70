"""The command on real releases of kailash, whose truth is known (reference: 2.18.0 lost pandas)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from tests.package_index import serving
from tests.sandbox import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_kailash_2_18_0_is_named_as_published_and_its_dependencies_as_the_cause(
    tmp_path: Path,
) -> None:
    """Without pandas, which 2.18.0 no longer requires, code nodes take about three times as long.

    Pinned, 2.18.0 is no slower than the release before it.
    """
    sandbox = Sandbox(tmp_path)
    ran = sandbox.cli(
        "bisect", "kailash", "--good", "2.16.1", "--bad", "2.18.1",
        "--duration", "2s", "--budget", "20m", "--json",
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout.splitlines()[-1])
    assert found["published"]["first_bad"] == "2.18.0"
    assert found["cause"] == "dependencies"
    assert any(one.startswith("pandas ") for one in found["moves"]["removed"])
    assert found["pinned"]["outcome"] in {"no_regression", "undecided"}
    assert "| as published | 2.18.0" in ran.stderr
    sandbox.close()


def test_a_release_that_is_not_in_the_index_is_refused_before_anything_is_installed(
    tmp_path: Path,
) -> None:
    sandbox = Sandbox(tmp_path)
    with serving({"2.17.0": {}, "2.18.0": {}, "2.19.0": {"yanked": "broken"}}) as index:
        index.package = "kailash"
        sandbox.environ |= index.environ()
        ran = sandbox.cli("bisect", "kailash", "--good", "2.17.0", "--bad", "2.19.0", "--json")
    assert ran.returncode == 2
    (problem,) = json.loads(ran.stdout.splitlines()[-1])["problems"]
    assert problem.startswith("2.19.0: no such release in the index for this Python")
    sandbox.close()


def test_releases_become_partitions_and_say_what_was_measured(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path)
    with serving({f"2.{minor}.0": {} for minor in range(1, 13)}) as index:
        index.package = "kailash"
        sandbox.environ |= index.environ()
        ran = sandbox.cli("releases", "--json")
    assert ran.returncode == 0, ran.stderr
    listed = json.loads(ran.stdout.splitlines()[-1])["releases"]
    assert [one["release"] for one in listed] == [f"2.{minor}.0" for minor in range(3, 13)]
    assert {one["run_id"] for one in listed} == {None}
    with dg.DagsterInstance.from_config(str(sandbox.dagster_home)) as instance:
        partitions = list(instance.get_dynamic_partitions("target_release"))
    assert partitions == [f"2.{minor}.0" for minor in range(3, 13)]
    sandbox.close()
