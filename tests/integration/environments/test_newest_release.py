"""The newest release is asked of an index by the real uv; here the index is a folder of wheels."""

from __future__ import annotations

import html
import os
import zipfile
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.errors import TargetEnvironmentError
from perf_pipeline.loadgen.environment.environment import find_uv
from perf_pipeline.loadgen.environment.newest_release import newest_release, next_release

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration

UV = find_uv(os.environ)
needs_uv = pytest.mark.skipif(UV is None, reason="there is no uv")


def write_index(folder: Path, releases: dict[str, str]) -> None:
    """Write an index of empty wheels: release to the Python that it requires."""
    files = folder / "runtime-x"
    files.mkdir()
    links = []
    for release, python in releases.items():
        name = f"runtime_x-{release}-py3-none-any.whl"
        with zipfile.ZipFile(files / name, "w") as wheel:
            info = f"runtime_x-{release}.dist-info"
            wheel.writestr(
                f"{info}/METADATA",
                f"Metadata-Version: 2.1\nName: runtime-x\nVersion: {release}\n"
                f"Requires-Python: {python}\nRequires-Dist: not-to-be-had-anywhere\n",
            )
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")
        requires = html.escape(python)
        links.append(f'<a href="{name}" data-requires-python="{requires}">{name}</a>')
    (files / "index.html").write_text("\n".join(links), encoding="utf-8")


def environ(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("UV_")}
    index = folder.as_uri()
    return {**kept, "UV_DEFAULT_INDEX": index, "UV_CACHE_DIR": str(folder / "cache")}


@needs_uv
def test_the_newest_release_is_the_highest_that_this_python_can_have(tmp_path: Path) -> None:
    """2.10 is newer than 2.9; a pre-release and one for another Python are none."""
    any_python = dict.fromkeys(("2.9.0", "2.10.0", "3.0.0rc1"), ">=3.11")
    write_index(tmp_path, {**any_python, "4.0.0": ">=3.99"})
    assert newest_release("runtime-x", UV, environ(tmp_path)) == "2.10.0"


@needs_uv
def test_pips_variable_alone_names_the_index_to_uv(tmp_path: Path) -> None:
    """Uv reads none of pip's: it would ask the public index."""
    write_index(tmp_path, {"7.7.7": ">=3.11"})
    given = environ(tmp_path)
    given["PIP_INDEX_URL"] = given.pop("UV_DEFAULT_INDEX")
    given["PIP_CONFIG_FILE"] = os.devnull
    given.pop("PIP_NO_INDEX", None)
    assert newest_release("runtime-x", UV, given) == "7.7.7"


@needs_uv
def test_the_next_release_is_the_oldest_after_one_that_this_python_can_have(tmp_path: Path) -> None:
    write_index(
        tmp_path,
        {"2.8.0": ">=3.11", "2.9.0rc1": ">=3.11", "2.9.0": ">=3.99", "2.9.1": "", "2.10.0": ""},
    )
    assert next_release("runtime-x", "2.8.0", UV, environ(tmp_path)) == "2.9.1"
    assert next_release("runtime-x", "2.9.1", UV, environ(tmp_path)) == "2.10.0"


@needs_uv
def test_an_index_without_the_package_is_an_error_that_says_what_uv_said(tmp_path: Path) -> None:
    with pytest.raises(TargetEnvironmentError, match="which release of runtime-x is the newest"):
        newest_release("runtime-x", UV, environ(tmp_path))


def test_without_uv_nothing_is_asked_and_the_error_says_how_to_get_it() -> None:
    with pytest.raises(TargetEnvironmentError, match="`make setup` brings one"):
        newest_release("kailash", None, {})
