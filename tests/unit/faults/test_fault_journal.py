"""The fault journal says what to take back, to this user's runs alone and without a password."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.faults.fault_journal import (
    OpenFault,
    journal_folder,
    mark_undone,
    new_path,
    read_fault,
    read_journal,
    remove_fault,
    write_fault,
)
from perf_pipeline.lifeline import own_stamp

if TYPE_CHECKING:
    from pathlib import Path


def opened(**changes: object) -> OpenFault:
    """Return a failure that this process injected for itself."""
    me = own_stamp()
    fault = OpenFault(
        kind="server_freeze",
        name="server_freeze on redis",
        entry={"server_folder": "/nonexistent"},
        level="/results/run/levels/00-10",
        number=0,
        own_folder="/results/run/levels/00-10/fault-0",
        server_folder="",
        owner=me,
        injector=me,
        guardian=None,
    )
    return replace(fault, **changes)  # type: ignore[arg-type]


def test_an_entry_is_read_as_it_was_written_and_gone_when_it_is_removed(tmp_path: Path) -> None:
    path = new_path(journal_folder(tmp_path))
    fault = opened(guardian=own_stamp())
    write_fault(path, fault)
    assert read_journal(tmp_path) == {path: fault}
    mark_undone(path, "by its guardian")
    assert read_fault(path) == replace(fault, undone="by its guardian")
    remove_fault(path)
    remove_fault(path)
    mark_undone(path, "nothing is there")
    assert read_journal(tmp_path) == {}


def test_an_entry_has_the_url_without_its_password(tmp_path: Path) -> None:
    path = new_path(journal_folder(tmp_path))
    write_fault(path, opened(entry={"url": "redis://:hunter2hunter2@h:1/0", "pause_ms": 5}))
    assert "hunter2" not in path.read_text()
    found = read_fault(path)
    assert found is not None
    assert found.entry == {"url": "redis://:***@h:1/0", "pause_ms": 5}


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: "{",
        lambda _: "[]",
        lambda values: json.dumps({**values, "kind": "../../os"}),
        lambda values: json.dumps({**values, "injector": [0, 0, ""]}),
        lambda values: json.dumps({**values, "entry": 5}),
        lambda values: json.dumps({**values, "more": 5}),
    ],
)
def test_a_file_that_no_run_wrote_is_no_entry(
    tmp_path: Path,
    damage: object,
) -> None:
    """Above all none that names a module of its own."""
    path = new_path(journal_folder(tmp_path))
    path.write_text(damage(opened().as_json()))  # type: ignore[operator]
    assert read_journal(tmp_path) == {}


def test_a_link_in_the_place_of_an_entry_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    write_fault(elsewhere, opened())
    new_path(journal_folder(tmp_path)).symlink_to(elsewhere)
    assert read_journal(tmp_path) == {}
