"""A folder is read as a whole, so none is a long flat list."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAX_FILES = 22


def test_no_folder_is_a_flat_list_of_more_than_22_python_files() -> None:
    counts = Counter(
        str(path.parent.relative_to(ROOT))
        for room in ("perf_pipeline", "assets", "tests")
        for path in (ROOT / room).rglob("*.py")
    )
    assert counts["perf_pipeline"] > 1
    assert {folder: n for folder, n in counts.items() if n > MAX_FILES} == {}


def test_the_folders_of_the_unit_tests_are_those_of_the_code() -> None:
    """A reader who knows where something is implemented knows where it is tested."""
    tests = ROOT / "tests/unit"
    folders = {path.parent.relative_to(tests) for path in tests.rglob("test_*.py")}
    assert len(folders) > 1
    assert {str(one) for one in folders if not (ROOT / "perf_pipeline" / one).is_dir()} == set()
