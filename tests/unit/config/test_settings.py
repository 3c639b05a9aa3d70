"""The environment is read once, and what is wrong with it is reported at once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.settings import read_settings
from perf_pipeline.errors import PerfPipelineError, ScenarioError

if TYPE_CHECKING:
    from pathlib import Path

POSTGRES = "PERF_PIPELINE_POSTGRES_URL"
MYSQL = "PERF_PIPELINE_MYSQL_URL"
REDIS = "PERF_PIPELINE_REDIS_URL"
MONGODB = "PERF_PIPELINE_MONGODB_URL"
STAND_IN = "PERF_PIPELINE_MONGODB_STANDIN"


def test_without_any_setting_everything_has_its_place(tmp_path: Path) -> None:
    """Nothing is made where a usable home is."""
    settings = read_settings({"HOME": str(tmp_path)}, current_dir=tmp_path / "here")
    assert settings.urls == {}
    assert settings.urls == {}
    assert settings.results_dir == tmp_path / "here/results"
    assert settings.cache_dir == tmp_path / ".cache/perf_pipeline"
    assert settings.state_dir == tmp_path / ".local/state/perf_pipeline"
    assert settings.search_path == "/usr/local/bin:/usr/bin:/bin"
    assert list(tmp_path.iterdir()) == []


def test_folders_follow_the_environment(tmp_path: Path) -> None:
    """XDG folders must be absolute to count."""
    (tmp_path / "temp").mkdir()
    environ = {
        "HOME": str(tmp_path),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "XDG_STATE_HOME": "relative",
        "TMPDIR": str(tmp_path / "temp"),
        "PATH": "/somewhere",
        "PERF_PIPELINE_RESULTS": "mine",
    }
    settings = read_settings(environ, current_dir=tmp_path)
    assert settings.cache_dir == tmp_path / "cache/perf_pipeline"
    assert settings.state_dir == tmp_path / ".local/state/perf_pipeline"
    assert settings.temp_dir == tmp_path / "temp"
    assert settings.search_path == "/somewhere"
    assert settings.results_dir == tmp_path / "mine"


def test_a_shared_machine_is_reported_and_a_misspelt_value_for_it_is_refused() -> None:
    assert read_settings({}).noise == "judge"
    assert read_settings({"PERF_PIPELINE_NOISE": "tell"}).noise == "tell"
    with pytest.raises(ScenarioError, match="NOISE is 'off'; it must be judge or tell"):
        read_settings({"PERF_PIPELINE_NOISE": "off"})
    with pytest.raises(ScenarioError, match="PERF_PIPELINE_NOIS is not a setting"):
        read_settings({"PERF_PIPELINE_NOIS": "tell"})


def test_a_user_without_a_home_keeps_things_in_the_temporary_folder(tmp_path: Path) -> None:
    """A home below a file cannot be made, even by root; the folder is the user's alone."""
    (tmp_path / "file").touch()
    environ = {"HOME": str(tmp_path / "file/home"), "TMPDIR": str(tmp_path)}
    settings = read_settings(environ)
    folder = tmp_path / f"perf_pipeline-{os.getuid()}"
    assert (settings.cache_dir, settings.state_dir) == (folder / "cache", folder / "state")
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_home_that_does_not_exist_is_not_made_by_root_either(tmp_path: Path) -> None:
    """HOME=/nonexistent is what accounts without a home have; a folder of XDG's may be new."""
    environ = {"HOME": str(tmp_path / "none"), "TMPDIR": str(tmp_path)}
    assert read_settings(environ).cache_dir == tmp_path / f"perf_pipeline-{os.getuid()}/cache"
    xdg = read_settings({**environ, "XDG_CACHE_HOME": str(tmp_path / "new")})
    assert xdg.cache_dir == tmp_path / "new/perf_pipeline"
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("given", ["none", "file", "/proc"])
def test_a_folder_for_temporary_files_that_is_of_no_use_is_refused(
    tmp_path: Path, given: str
) -> None:
    """In a sentence, before any server fails to start in it."""
    (tmp_path / "file").touch()
    with pytest.raises(ScenarioError, match="in which no file can be made") as refused:
        read_settings({"HOME": str(tmp_path), "TMPDIR": given}, current_dir=tmp_path)
    (problem,) = refused.value.problems
    assert str(tmp_path / given) in problem


def test_a_current_folder_that_was_removed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(PerfPipelineError, match="current folder was removed"):
        read_settings({"HOME": str(tmp_path)})


def test_a_folder_that_somebody_else_prepared_is_refused(tmp_path: Path) -> None:
    """In /tmp anybody can make a link with the name that we would use."""
    (tmp_path / "file").touch()
    (tmp_path / f"perf_pipeline-{os.getuid()}").symlink_to(tmp_path)
    with pytest.raises(PerfPipelineError, match="Set HOME"):
        read_settings({"HOME": str(tmp_path / "file/home"), "TMPDIR": str(tmp_path)})


def test_two_users_with_their_own_temporary_folders_share_the_lock(tmp_path: Path) -> None:
    """Or their load runs would overlap."""
    for user in ("a", "b"):
        (tmp_path / user).mkdir()
    paths = {
        read_settings(
            {"HOME": str(tmp_path), "TMPDIR": str(tmp_path / user)}, system_temp=tmp_path
        ).lock_path
        for user in ("a", "b")
    }
    assert paths == {tmp_path / "perf_pipeline-load.lock"}


def test_a_lock_that_is_named_is_used_and_must_be_a_file_in_a_folder(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}
    named = {**home, "PERF_PIPELINE_LOAD_LOCK": str(tmp_path / "lock")}
    assert read_settings(named).lock_path == tmp_path / "lock"
    for wrong in ("lock", str(tmp_path / "none/lock")):
        with pytest.raises(ScenarioError, match="LOAD_LOCK"):
            read_settings({**home, "PERF_PIPELINE_LOAD_LOCK": wrong})


@pytest.mark.parametrize(
    ("given", "understood"),
    [
        ("postgresql://u:p@h/d", "postgresql://u:p@h/d"),
        ("postgres://u:p%40w@h:1/d", "postgresql://u:p%40w@h:1/d"),
        ("postgresql://u@[::1]/d?sslmode=require", "postgresql://u@[::1]/d?sslmode=require"),
        ("postgresql://h1:1,h2/d", "postgresql://h1:1,h2/d"),
        ("postgresql:///d?host=/run/postgresql", "postgresql:///d?host=/run/postgresql"),
        ("postgresql://u@%2Frun%2Fpostgresql/d", "postgresql://u@%2Frun%2Fpostgresql/d"),
        ("postgresql://", "postgresql://"),
    ],
)
def test_what_a_postgresql_url_leaves_out_is_libpqs_to_complete(
    tmp_path: Path, given: str, understood: str
) -> None:
    """Only its scheme has one name; PGHOST and so on may name the rest."""
    assert read_settings({"HOME": str(tmp_path), POSTGRES: given}).urls["postgres"] == understood


@pytest.mark.parametrize(
    ("given", "understood"),
    [
        ("redis://h", "redis://h:6379/0"),
        ("redis://h:1/", "redis://h:1/0"),
        ("redis://:p@h/2", "redis://:p@h:6379/2"),
        ("rediss://u:p@[::1]", "rediss://u:p@[::1]:6379/0"),
        ("redis://h?db=2", "redis://h:6379?db=2"),
        ("unix:///run/redis.sock?db=2", "unix:///run/redis.sock?db=2"),
    ],
)
def test_a_redis_url_is_completed(tmp_path: Path, given: str, understood: str) -> None:
    """Port and database."""
    assert read_settings({"HOME": str(tmp_path), REDIS: given}).urls["redis"] == understood


@pytest.mark.parametrize(
    ("name", "given", "understood"),
    [
        (MYSQL, "mysql://u:p@h/d", "mysql://u:p@h:3306/d"),
        (MYSQL, "mysql://u:p%40w@[::1]:1/d", "mysql://u:p%40w@[::1]:1/d"),
        (MONGODB, "mongodb://h/d", "mongodb://h:27017/d"),
        (MYSQL, "mariadb://u@h/d", "mysql://u@h:3306/d"),
        (MYSQL, "mysql://u@/d?unix_socket=/s", "mysql://u@/d?unix_socket=/s"),
        (MONGODB, "mongodb://u:p@h:1/d?authSource=a", "mongodb://u:p@h:1/d?authSource=a"),
        (MONGODB, "mongodb://a,b:2/d?replicaSet=r", "mongodb://a:27017,b:2/d?replicaSet=r"),
        (MONGODB, "mongodb+srv://u:p@h.org/d", "mongodb+srv://u:p@h.org/d"),
    ],
)
def test_mysql_and_mongodb_urls_are_completed(
    tmp_path: Path, name: str, given: str, understood: str
) -> None:
    """With the port; a MongoDB may have no users."""
    settings = read_settings({"HOME": str(tmp_path), name: given})
    assert list(settings.urls.values()) == [understood]


@pytest.mark.parametrize(
    ("name", "url", "fault"),
    [
        (MYSQL, "mysql+pymysql://u:secret@h/d", 'begins with "mysql+pymysql:"'),
        (MYSQL, "mysql://h/d", "names no user"),
        (REDIS, "redis://secret@h", "redis://:password@host"),
        (MYSQL, "mysql://u:secret@h", "names no database"),
        (MYSQL, "mysql://u:secret@h/d?ssl_ca", "not of the form name=value"),
        (MYSQL, "mysql://u:secret@h1,h2/d", "names 2 hosts"),
        (MYSQL, "mysql://u:secret@/d", "names no host"),
        (MYSQL, "mysql://u:sec#ret@h/d", "%23"),
        (MYSQL, "mysql://u:sec%ret@h/d", "%25"),
        (MYSQL, "mysql://u:secret/1@h/d", "%2F"),
        (MYSQL, "mysql://u:secret?1@h/d", "%3F"),
        (MYSQL, "mysql://u:123/secret@h/d", "%2F"),
        (MYSQL, "mysql://u:123?secret@h/d", "%3F"),
        (MYSQL, "mysql://u:secret[@h/d?[", "not of the form name=value"),
        (MYSQL, "mysql://u:secret[x]@h/d", "%5B"),
        (MYSQL, "mysql://u:secret%ff@h/d", "not UTF-8"),
        (MYSQL, "mysql://u:secret%00@h/d", "%00"),
        (MONGODB, "mongodb://h", "names no database"),
        (MONGODB, "mongodb+srv://u:secret@h:1/d", "+srv asks the DNS"),
        (MONGODB, "mongodb://u:secret@h1:1,h2:2:3/d", "cannot be read"),
    ],
)
def test_a_malformed_url_of_mysql_or_mongodb_is_named_with_its_fault(
    tmp_path: Path, name: str, url: str, fault: str
) -> None:
    """Also where a character of the password ends it for whoever reads URLs by the rule."""
    with pytest.raises(ScenarioError) as raised:
        read_settings({"HOME": str(tmp_path), name: url})
    (problem,) = raised.value.problems
    assert problem.startswith(name)
    assert fault in problem
    assert "secret" not in problem


def test_only_a_known_stand_in_may_replace_mongodb(tmp_path: Path) -> None:
    """Nothing does unless it is asked for."""
    home = {"HOME": str(tmp_path)}
    assert read_settings(home).mongodb_stand_in is None
    assert read_settings({**home, STAND_IN: ""}).mongodb_stand_in is None
    assert read_settings({**home, STAND_IN: "nx-27017"}).mongodb_stand_in == "nx-27017"
    with pytest.raises(ScenarioError, match="must be nx-27017"):
        read_settings({**home, STAND_IN: "mongomock"})


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("secret", "does not begin with"),
        ("mysql://u:secret@h/d", 'begins with "mysql:" instead of "postgresql:"'),
        ("postgresql+psycopg2://u:secret@h/d", "postgresql+psycopg2"),
        ("postgresql://u:secret@h:99999/d", "1 to 65535"),
        ("postgresql://u:secret@h:0/d", "1 to 65535"),
        ("postgresql://u:secret@7secret@h/d", "%40"),
        ("postgresql://u:secret[@h/d", "%5B"),
        ("postgresql:///d?password=secret%ff", "not UTF-8"),
        ("postgresql://u:secret@h:port/d", "cannot be read"),
        ("postgresql://u:secret@[h/d", "cannot be read"),
        ("postgresql://u:secret@::1/d", "cannot be read"),
        ("postgresql://u:sec ret@h/d", "blank"),
        ("postgresql://u:secret@h/d\n", "control character"),
        ("postgresql://u:secret@h/d\x00", "control character"),
    ],
)
def test_a_malformed_url_is_named_with_its_fault_and_an_example(
    tmp_path: Path, url: str, fault: str
) -> None:
    """Whatever could be a password is not repeated."""
    with pytest.raises(ScenarioError) as raised:
        read_settings({"HOME": str(tmp_path), POSTGRES: url})
    (problem,) = raised.value.problems
    assert problem.startswith(POSTGRES)
    assert fault in problem
    assert "postgresql://user:password@host:5432/database" in problem
    assert "secret" not in problem


def test_every_problem_is_reported_at_once(tmp_path: Path) -> None:
    """Another name would do nothing, silently; one that is set to nothing does nothing anyway."""
    environ = {
        "HOME": str(tmp_path),
        POSTGRES: "nonsense",
        REDIS: "redis://h/zero",
        "PERF_PIPELINE_POSTGRESQL_URL": "postgresql://u@h/d",
        "PERF_PIPELINE_ABACUS": "http://h",
        "PERF_PIPELINE_SOMETHING": "1",
        "PERF_PIPELINE_NOTHING": "",
        "PERF_PIPELINE_CONNECTIONS": "5",
    }
    with pytest.raises(ScenarioError) as raised:
        read_settings(environ)
    assert [problem.split()[0] for problem in raised.value.problems] == [
        "PERF_PIPELINE_ABACUS",
        "PERF_PIPELINE_POSTGRESQL_URL",
        "PERF_PIPELINE_SOMETHING",
        POSTGRES,
        REDIS,
    ]
    unknown, postgres = raised.value.problems[:2]
    assert "unset it. Settings are PERF_PIPELINE_POSTGRES_URL, " in unknown
    assert "write PERF_PIPELINE_POSTGRES_URL." in postgres


def test_an_empty_url_is_none(tmp_path: Path) -> None:
    """Compose files set variables to nothing."""
    assert read_settings({"HOME": str(tmp_path), POSTGRES: "", REDIS: ""}).urls == {}


def test_runs_from_python_are_recorded_unless_that_is_off(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    assert read_settings(environ).is_recorded
    assert not read_settings({**environ, "PERF_PIPELINE_DAGSTER": "off"}).is_recorded
    with pytest.raises(ScenarioError, match="PERF_PIPELINE_DAGSTER is 'no'; it must be on or off"):
        read_settings({**environ, "PERF_PIPELINE_DAGSTER": "no"})


def test_the_port_of_the_reports_is_a_port(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "PERF_PIPELINE_REPORTS_PORT": "4001"}
    assert read_settings(environ).reports_port == 4001
    with pytest.raises(ScenarioError, match=r"REPORTS_PORT is '70000'; ports are 1 to 65535"):
        read_settings({**environ, "PERF_PIPELINE_REPORTS_PORT": "70000"})
