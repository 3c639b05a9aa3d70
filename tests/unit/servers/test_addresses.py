"""URLs of MySQL, Redis and MongoDB as their drivers take them: options known, paths absolute."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from perf_pipeline.servers.mongodb.address import complete_url as of_mongodb
from perf_pipeline.servers.mysql.address import complete_url as of_mysql
from perf_pipeline.servers.redis.address import complete_url as of_redis
from perf_pipeline.servers.service import AddressError, find_service
from perf_pipeline.workload.sql_urls import mysql_arguments

HERE = Path("/here")
MYSQL, REDIS, MONGODB = "mysql://u:secret@h:3306/d", "redis://u:secret@h:1/0", "mongodb://h:1/d"


@pytest.mark.parametrize(
    ("service", "url", "complete"),
    [
        ("redis", "rediss://h:1/0?ssl_ca_certs=ca.pem&ssl_cert_reqs=required",
         "rediss://h:1/0?ssl_ca_certs=/here/ca.pem&ssl_cert_reqs=required"),
        ("redis", "unix:///run/redis.sock?db=2", "unix:///run/redis.sock?db=2"),
        ("redis", "redis://u:p%40w@[::1]:1/3", "redis://u:p%40w@[::1]:1/3"),
        ("mysql", f"{MYSQL}?ssl-ca=ca.pem", f"{MYSQL}?ssl_ca=/here/ca.pem"),
        ("mysql", "mysql://u@/d?unix_socket=s", "mysql://u@/d?unix_socket=/here/s"),
        ("mongodb", "mongodb://u:p%40w@a:1,b:2/d?replicaSet=rs0&authSource=x",
         "mongodb://u:p%40w@a:1,b:2/d?replicaSet=rs0&authSource=x"),
        ("mongodb", "mongodb+srv://h.example.org/d?retryWrites=true&w=majority&srvMaxHosts=2",
         "mongodb+srv://h.example.org/d?retryWrites=true&w=majority&srvMaxHosts=2"),
    ],
)  # fmt: skip
def test_a_url_is_complete_after_one_time(service: str, url: str, complete: str) -> None:
    """The second time is in the Dagster process, in another folder."""
    complete_url = find_service(service).complete_url
    assert complete_url(url, HERE) == complete
    assert complete_url(complete, Path("/elsewhere")) == complete


def test_files_of_a_mongodb_become_absolute_and_must_be_readable(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    found = of_mongodb(f"{MONGODB}?tls=true&tlsCAFile=ca.pem", tmp_path)
    assert found == f"{MONGODB}?tls=true&tlsCAFile={tmp_path}/ca.pem"
    with pytest.raises(AddressError, match=r"cannot be read.*none\.pem"):
        of_mongodb(f"{MONGODB}?tls=true&tlsCAFile=none.pem", tmp_path)


@pytest.mark.parametrize(
    ("complete_url", "url", "fault"),
    [
        (of_redis, f"{REDIS}?foo=bar", "the option foo, which redis-py does not know"),
        (of_redis, f"{REDIS}?ssl_ca_certs=x", "ssl_ca_certs.*need rediss://"),
        (of_redis, f"{REDIS}?socket_timeout=soon", "socket_timeout"),
        (of_redis, f"{REDIS}?encoding=utf-16", "has an encoding"),
        (of_redis, f"{REDIS}?encoding=none-such", "has an encoding"),
        (of_mysql, f"{MYSQL}?charset=none-such", "charset that PyMySQL"),
        (of_mysql, f"{MYSQL}?foo=bar", "the option foo, which is not one of"),
        (of_mysql, f"{MYSQL}?ssl_verify_cert=perhaps", "true or false"),
        (of_mysql, f"{MYSQL}?ssl-mode=strict", "VERIFY_IDENTITY"),
        (of_mongodb, f"{MONGODB}?foo=bar", "Unknown option: foo"),
        (of_mongodb, f"{MONGODB}?tls=perhaps", "tls must be"),
        (of_mongodb, f"{MONGODB}?directConnection=true&loadBalanced=true", "Cannot specify"),
    ],
)  # fmt: skip
def test_an_option_that_the_driver_does_not_know_is_named(
    complete_url: Any, url: str, fault: str
) -> None:
    with pytest.raises(AddressError, match=fault) as raised:
        complete_url(url, HERE)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("options", "tls"),
    [
        ("", {}),
        ("?ssl_mode=PREFERRED", {}),
        ("?ssl_disabled=true", {"ssl_disabled": True}),
        ("?ssl=true", {"ssl": {"verify_mode": "none", "check_hostname": False}}),
        ("?ssl-mode=required", {"ssl": {"verify_mode": "none", "check_hostname": False}}),
        ("?ssl_ca=/c", {"ssl": {"ca": "/c", "verify_mode": "required", "check_hostname": True}}),
        ("?ssl_ca=/c&ssl_check_hostname=false",
         {"ssl": {"ca": "/c", "verify_mode": "required", "check_hostname": False}}),
        ("?ssl_ca=/c&ssl_cert=/d&ssl_key=/e&ssl_verify_cert=false",
         {"ssl": {"ca": "/c", "cert": "/d", "key": "/e", "verify_mode": "none",
                  "check_hostname": False}}),
    ],
)  # fmt: skip
def test_a_mysql_with_an_authority_is_verified_by_certificate_and_name(
    options: str, tls: dict[str, Any]
) -> None:
    """PyMySQL alone would accept any certificate when only an authority is named."""
    found = mysql_arguments(f"{MYSQL}{options}")
    assert {name: found[name] for name in ("ssl", "ssl_disabled") if name in found} == tls


def test_a_password_that_is_not_ascii_reaches_mysql_as_utf_8() -> None:
    """PyMySQL encodes a text as Latin-1: a wrong password, or an exception of the codec."""
    assert mysql_arguments("mysql://u:%D0%BF%C3%A9@h:1/d")["password"] == "пé".encode()
    assert mysql_arguments("mysql://u:p%40@h:1/d")["password"] == "p@"


def test_mysqls_identity_is_verified_by_the_systems_authorities_if_none_is_named() -> None:
    """PyMySQL does not look at the name without an authority."""
    found = mysql_arguments(of_mysql(f"{MYSQL}?ssl_verify_identity=true", HERE))["ssl"]
    assert {"ca", "capath"} & found.keys()
    assert (found["verify_mode"], found["check_hostname"]) == ("required", True)
