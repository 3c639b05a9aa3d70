"""MariaDB can be had without root; where it cannot, a sentence says how to get it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.servers.lifecycle import debian
from perf_pipeline.servers.lifecycle.services import ServiceSession
from perf_pipeline.servers.lifecycle.unpacked import unpacked_root
from perf_pipeline.servers.mysql import service as mysql
from perf_pipeline.servers.service import how_to_get

if TYPE_CHECKING:
    from perf_pipeline.config.settings import Settings

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("apt-get") is None, reason="apt-get is Debian's and Ubuntu's"),
]


@pytest.fixture
def bare(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a machine that seems to have no MySQL; its cache has a space in its path."""
    monkeypatch.setattr(mysql, "SYSTEM_FOLDERS", ())
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("apt-get", "dpkg"):
        (tools / name).symlink_to(f"/usr/bin/{name}")
    return replace(settings, search_path=str(tools), cache_dir=tmp_path / "a cache")


def test_an_unpacked_package_serves(bare: Settings) -> None:
    """Root plays somebody who is not: nothing is installed, and what was begun is not left."""
    said: list[str] = []
    assert mysql.installations(bare) == []
    assert debian.obtain(mysql.PACKAGE, bare, as_root=False, notify=said.append)
    root = unpacked_root(bare.cache_dir, mysql.PACKAGE)
    assert said == [f"unpacking Debian's {mysql.PACKAGE} for mysql into {root}"]
    assert list(root.parent.iterdir()) == [root]
    (found,) = mysql.installations(bare)
    assert found.program.is_relative_to(root)
    with ServiceSession(bare, ["mysql"]) as session:
        server = session.servers["mysql"]
        assert server.facts.product == "MariaDB"
        assert Path(f"/proc/{server.pids[0]}/exe").readlink() == found.program
    said.clear()
    assert debian.obtain(mysql.PACKAGE, bare, as_root=False, notify=said.append)
    assert said == []


def test_a_package_that_is_not_there_is_named_with_apt_s_own_words(
    bare: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is left in the cache, and the sentence says how to get a server."""
    monkeypatch.setattr(mysql, "DEBIAN_PACKAGE", "no-such-package-of-ours")
    said: list[str] = []
    assert not debian.obtain("no-such-package-of-ours", bare, as_root=False, notify=said.append)
    assert "Unable to locate package no-such-package-of-ours" in said[-1]
    assert how_to_get("mysql") in said[-1]
    assert list((bare.cache_dir / "debian").iterdir()) == []


def test_without_apt_the_sentence_says_so(bare: Settings) -> None:
    said: list[str] = []
    elsewhere = replace(bare, search_path="/nowhere")
    assert not debian.obtain(mysql.PACKAGE, elsewhere, as_root=True, notify=said.append)
    assert said == [f"apt-get and dpkg not found. {how_to_get('mysql')}"]


def test_a_mysql_of_the_users_is_the_users_business(bare: Settings) -> None:
    """Even one that does not answer: nothing is installed beside it."""
    theirs = replace(bare, urls={"mysql": "mysql://u:p@127.0.0.1:9/d"})
    assert debian.obtain(mysql.PACKAGE, theirs, as_root=False, notify=pytest.fail)
    assert not bare.cache_dir.exists()
