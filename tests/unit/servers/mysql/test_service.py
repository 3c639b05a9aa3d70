"""Where MySQL's programs are found, and how one is started from there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.settings import read_settings
from perf_pipeline.servers.lifecycle.unpacked import library_prefix, unpacked_root
from perf_pipeline.servers.mysql import service as mysql
from perf_pipeline.servers.service import Installation

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.config.settings import Settings


def program(folder: Path, name: str) -> Path:
    """Make a program."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o755)
    return path


def settings_of(home: Path, search_path: Path) -> Settings:
    return read_settings({"HOME": str(home), "PATH": str(search_path)}, current_dir=home)


def test_programs_are_found_on_path_then_on_the_system_then_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link beside what it leads to counts once, as Debian's mysqld does."""
    settings = settings_of(tmp_path, tmp_path / "bin")
    on_path = program(tmp_path / "bin", "mysqld")
    system = program(tmp_path / "sbin", "mariadbd")
    (tmp_path / "sbin/mysqld").symlink_to("mariadbd")
    unpacked = program(unpacked_root(settings.cache_dir, mysql.PACKAGE), "usr/sbin/mariadbd")
    monkeypatch.setattr(mysql, "SYSTEM_FOLDERS", (str(tmp_path / "sbin"),))
    found = mysql.installations(settings)
    assert [one.program for one in found] == [on_path, system, unpacked]
    assert {one.source for one in found} == {"machine"}


def test_a_program_of_an_unpacked_package_finds_the_libraries_beside_it(tmp_path: Path) -> None:
    """One without any needs nothing said, nor does one of the machine."""
    unpacked = program(tmp_path, "usr/sbin/mariadbd")
    assert library_prefix(unpacked) == []
    for folder in ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"):
        (tmp_path / folder).mkdir(parents=True)
    assert library_prefix(unpacked) == [
        "env",
        f"LD_LIBRARY_PATH={tmp_path}/usr/lib/x86_64-linux-gnu:{tmp_path}/lib/x86_64-linux-gnu",
    ]
    from_the_machine = unpacked.__class__("/usr/sbin/mariadbd")
    assert library_prefix(from_the_machine) == []
    assert library_prefix(unpacked.__class__("/mariadbd")) == []


@pytest.mark.parametrize("share", ["share/mysql", "share/mariadb"])
def test_mariadb_knows_where_its_own_files_are(tmp_path: Path, share: str) -> None:
    """Debian and others keep them in different folders."""
    mariadbd = program(tmp_path, "usr/sbin/mariadbd")
    script = program(tmp_path / "usr" / share, "mysql_system_tables.sql")
    (tmp_path / "usr" / share / "charsets").mkdir()
    started = mysql.launch(Installation("machine", mariadbd), tmp_path / "run", 4000)
    gather, bootstrap = started.prepare
    assert str(script) in gather
    for command in (bootstrap, started.serve):
        assert f"--lc-messages-dir={tmp_path}/usr/{share}" in command
        assert command.index("--no-defaults") == command.index(str(mariadbd)) + 1
        assert f"--datadir={tmp_path}/run/data" in command
        assert f"--tmpdir={tmp_path}/run" in command
    assert "--port=4000" in started.serve
    assert "--bind-address=127.0.0.1" in started.serve


def test_mysql_itself_makes_its_tables_and_knows_no_bootstrap(tmp_path: Path) -> None:
    """MySQL 8 and later; each server has its own password."""
    mysqld = Installation("machine", program(tmp_path, "usr/sbin/mysqld"))
    one, other = (mysql.launch(mysqld, tmp_path / "run", 4000) for _ in range(2))
    (initialize,) = one.prepare
    assert "--initialize-insecure" in initialize
    assert "--mysqlx=OFF" in one.serve
    assert one.url != other.url
    assert one.url.partition("@")[2] == "127.0.0.1:4000/perf_pipeline"
    password = one.url.split(":")[2].partition("@")[0]
    assert password in one.files["setup.sql"]
    assert not any(password in word for word in one.serve)
