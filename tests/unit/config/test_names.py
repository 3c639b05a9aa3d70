"""Names that become part of a path: what is read from a folder or archive may be hostile."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.names import check_names, is_name, name_problem
from perf_pipeline.errors import RunFolderError

if TYPE_CHECKING:
    from perf_pipeline.config.names import NameKind

KINDS: tuple[NameKind, ...] = ("run id", "scenario name", "level name")
HOSTILE = (
    "",
    ".",
    "..",
    "../../victim/pwn",
    "/etc/passwd",
    "a/b",
    "a\\b",
    "a\0b",
    "a\nb",
    "a\n",
    "-rf",
    ".hidden",
    "*",
    "[a-z]",
    "a?b",
    "a b",
    "~",
    "$(id)",
    "a;b",
    "\x1b]0;pwned\x07",
    "<script>",
    "baselin\u0435",  # the last letter is Cyrillic
    "a\u202eb",
    "\uff42ase",  # a wide letter
    "\uff11",  # a wide digit
    "a" * 81,
    "a" * 100_000,
)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", HOSTILE, ids=[ascii(text)[:24] for text in HOSTILE])
def test_a_text_that_could_leave_its_folder_or_deceive_is_no_name(
    kind: NameKind, text: str
) -> None:
    assert not is_name(kind, text)
    problem = name_problem(kind, text)
    assert kind in problem
    assert problem.isascii()
    assert problem.isprintable()
    assert len(problem) < 300


@pytest.mark.parametrize("value", [None, 1, ["a"], {"a": 1}])
def test_what_is_no_text_is_no_name(value: object) -> None:
    assert not is_name("run id", value)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("run id", "20241201_120000-4f2c"),
        ("run id", "before.2024-12-01"),
        ("scenario name", "_mine"),
        ("scenario name", "order-flow.v2"),
        ("level name", "1000"),
        ("level name", "00-100"),
        ("level name", "1e+06-per-s-longer"),
        ("level name", "kailash-lean"),
    ],
)
def test_the_names_that_runs_have_are_names(kind: NameKind, text: str) -> None:
    assert name_problem(kind, text) == ""


def test_the_file_and_the_name_are_in_the_message() -> None:
    with pytest.raises(RunFolderError, match=r'r1/manifest.json was not.*"../x" is not a scenario'):
        check_names(Path("r1/manifest.json"), [("run id", "r1"), ("scenario name", "../x")])
