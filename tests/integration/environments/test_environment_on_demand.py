"""Environments that no lock describes: a version asked for, packages beside the locked ones."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from perf_pipeline.config.scenario.target_spec import TargetSpec
from perf_pipeline.errors import TargetEnvironmentError
from perf_pipeline.loadgen.environment import environment
from perf_pipeline.loadgen.environment.packages import required_packages
from tests.integration.environments.bench import UV, UVS, Bench, locked, write_wheel

pytestmark = pytest.mark.integration

EGGS = TargetSpec("one+eggs", "one", None, ("eggs",))
NEWER = TargetSpec("one==2.0", "one", "2.0", ())
_FACTS = 'title = "of a test"\nmode = "threads"\npackage = "spam"\n'


def describe(bench: Bench) -> None:
    """Give the target what a version needs: its package's name, and its requirements."""
    (bench.targets / "one" / "target.toml").write_text(_FACTS)
    wanted = "# as published\nspam==1.0\ndriver    # of a server\n"
    (bench.targets / "one" / "requirements.in").write_text(wanted)
    write_wheel(bench.wheels, "driver", "3.0")
    write_wheel(bench.wheels, "spam", "2.0")


@pytest.mark.parametrize("uv", UVS, ids=str)
def test_extra_packages_come_beside_the_locked_ones_which_do_not_move(
    bench: Bench, uv: Path | None
) -> None:
    """The index has a newer spam, and eggs would take it."""
    write_wheel(bench.wheels, "spam", "2.0")
    write_wheel(bench.wheels, "eggs", "7.0", requires=("spam",))
    made = bench.make(EGGS, uv=uv)
    assert made.packages == {"eggs": "7.0", "spam": "1.0"}
    code = "import json, spam, eggs; print(json.dumps([spam.VERSION, eggs.VERSION]))"
    run = subprocess.run([made.python, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(run.stdout) == ["1.0", "7.0"]
    assert made.python != bench.make().python


@pytest.mark.skipif(UV is None, reason="what is asked is the resolver of uv")
def test_a_package_that_needs_another_version_of_a_locked_one_is_refused(bench: Bench) -> None:
    write_wheel(bench.wheels, "spam", "2.0")
    write_wheel(bench.wheels, "eggs", "7.0", requires=("spam>=2",))
    with pytest.raises(TargetEnvironmentError) as caught:
        bench.make(EGGS)
    said = str(caught.value)
    assert said.startswith("The environment of one+eggs could not be made.")
    assert "spam==1.0" in said
    assert "The versions of the target's lock do not change" in said


@pytest.mark.skipif(UV is None, reason="stands in for uv")
def test_an_installer_that_moves_a_locked_package_is_found_out(bench: Bench) -> None:
    """One that drops the constraint, the last two arguments."""
    write_wheel(bench.wheels, "spam", "2.0")
    write_wheel(bench.wheels, "eggs", "7.0", requires=("spam>=2",))
    careless = bench.cache.parent / "uv"
    careless.write_text(
        '#!/bin/bash\n[ "$2" = install ] && set -- "${@:1:$#-2}"\n' + f'exec "{UV}" "$@"\n'
    )
    careless.chmod(0o755)
    with pytest.raises(TargetEnvironmentError, match=r"one\+eggs changed .*: spam 1\.0 became 2"):
        bench.make(EGGS, uv=careless)


def test_a_version_is_resolved_with_what_the_target_needs_beside_it(bench: Bench) -> None:
    describe(bench)
    assert bench.make(NEWER).packages == {"driver": "3.0", "spam": "2.0"}
    assert bench.make().packages == {"spam": "1.0"}


def test_targets_that_share_a_lock_share_its_variants_too(bench: Bench) -> None:
    """What differs between control==2.0 and kailash==2.0 must be the runtime alone."""
    describe(bench)
    bench.lock("two", "-r ../one/requirements.lock\n")
    (bench.targets / "two" / "target.toml").write_text(_FACTS)
    assert bench.make(TargetSpec("two==2.0", "two", "2.0", ())) == bench.make(NEWER)


def test_what_was_resolved_once_stays_and_is_found_without_starting_a_process(
    bench: Bench,
) -> None:
    """A newer release, and then no index and no installer any more."""
    write_wheel(bench.wheels, "eggs", "7.0")
    made = bench.make(EGGS)
    write_wheel(bench.wheels, "eggs", "8.0")
    assert bench.make(EGGS) == made
    shutil.rmtree(bench.wheels)
    assert bench.make(EGGS, uv=Path("/gone/uv")) == made
    assert made.packages["eggs"] == "7.0"


def test_the_hash_of_what_was_resolved_is_that_of_its_names_and_versions(bench: Bench) -> None:
    write_wheel(bench.wheels, "eggs", "7.0")
    expected = hashlib.sha256(b"eggs==7.0\nspam==1.0\n").hexdigest()
    assert bench.make(EGGS).lock_hash == expected
    marker = bench.make(EGGS).python.parents[1] / environment.MARKER
    assert json.loads(marker.read_text())["lock_hash"] == expected


def test_a_marker_that_says_other_packages_than_it_has_the_hash_of_is_not_believed(
    bench: Bench,
) -> None:
    write_wheel(bench.wheels, "eggs", "7.0")
    marker = bench.make(EGGS).python.parents[1] / environment.MARKER
    marker.write_text(marker.read_text().replace("7.0", "6.0"))
    assert bench.make(EGGS).packages["eggs"] == "7.0"


def test_a_package_that_the_index_does_not_have_is_named_and_leaves_nothing_behind(
    bench: Bench,
) -> None:
    with pytest.raises(TargetEnvironmentError) as caught:
        bench.make(EGGS)
    said = str(caught.value)
    assert "The environment of one+eggs could not be made." in said
    assert "eggs" in said.partition("exit code 1")[2]
    assert "Does the index have these names and versions?" in said
    assert [path.suffix for path in (bench.cache / "targets").iterdir()] == [".lock"]


def test_a_version_of_a_target_whose_requirements_are_unknown_is_refused(bench: Bench) -> None:
    describe(bench)
    (bench.targets / "one" / "requirements.in").unlink()
    with pytest.raises(TargetEnvironmentError, match=r"one==2\.0: .*requirements\.in is missing"):
        bench.make(NEWER)


def test_a_lock_of_nothing_gives_an_environment_without_packages(bench: Bench) -> None:
    bench.lock("bare", "# nothing\n")
    made = bench.make(locked("bare"))
    assert made.packages == {}
    subprocess.run([made.python, "-c", "import sqlite3"], check=True)


def test_what_an_extra_of_a_package_would_need_is_not_needed(tmp_path: Path) -> None:
    info = tmp_path / "lib/python3.11/site-packages/spam-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: spam\nVersion: 1.0\nRequires-Dist: SetupTools>=60\n"
        'Requires-Dist: pip; extra == "install"\n'
    )
    assert required_packages(tmp_path) == {"setuptools"}


@pytest.mark.parametrize("uv", UVS, ids=str)
def test_a_pinned_release_has_the_packages_of_the_lock_and_none_that_it_requires(
    bench: Bench, uv: Path | None
) -> None:
    """2.0 requires eggs, and as published gets it; pinned, only the code differs from the lock."""
    describe(bench)
    write_wheel(bench.wheels, "eggs", "7.0")
    write_wheel(bench.wheels, "spam", "2.0", requires=("eggs",))
    spam = hashlib.sha256((bench.wheels / "spam-1.0-py3-none-any.whl").read_bytes()).hexdigest()
    driver = write_wheel(bench.wheels, "driver", "2.0")
    bench.lock("one", f"driver==2.0 --hash=sha256:{driver}\nspam==1.0 \\\n    --hash=sha256:{spam}")
    assert bench.make(NEWER).packages == {"driver": "3.0", "eggs": "7.0", "spam": "2.0"}
    pinned = TargetSpec("one==2.0@lock", "one", "2.0", (), is_pinned=True)
    made = bench.make(pinned, uv=uv)
    assert made.packages == {"driver": "2.0", "spam": "2.0"}
    assert bench.make(pinned, uv=uv).python == made.python
