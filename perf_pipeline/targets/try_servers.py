"""Connects to a user's own servers as a worker's pools do, once; reports what a driver says.

Run in the target's environment, with a worker's variables and HOME, before any worker::

    python -P start.py perf_pipeline.targets.try_servers "" ANSWER.json < access.json

The answer maps each service to the driver's error; empty where a worker can connect.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perf_pipeline.targets.pools import (
    SQLALCHEMY_MYSQL,
    SQLALCHEMY_POSTGRES,
    mongodb_options,
    mysql_pool_options,
    open_redis,
    postgres_pool_options,
)
from perf_pipeline.targets.target import Job, ServerAccess

if TYPE_CHECKING:
    from collections.abc import Mapping


def try_servers(servers: ServerAccess) -> dict[str, str]:
    """Connect to each server, and ask it one thing."""
    job = Job((), "lean", 0, "trial", 0, replace(servers, connections=1))
    return {service: _error(service, job) for service in servers.addresses}


def _error(service: str, job: Job) -> str:
    try:
        if service == "postgres":
            _ask_sql(SQLALCHEMY_POSTGRES, postgres_pool_options(job))
        elif service == "mysql":
            _ask_sql(SQLALCHEMY_MYSQL, mysql_pool_options(job))
        elif service == "redis":
            _ask_redis(job)
        elif service == "mongodb":
            _ask_mongodb(job)
    except Exception as error:  # noqa: BLE001 - whatever a driver raises, a worker would meet
        # SQLAlchemy's error repeats the driver's, and adds a link.
        said = getattr(error, "orig", None) or error
        return f"{type(said).__name__}: {' '.join(str(said).split())}"
    return ""


def _ask_sql(url: str, options: Mapping[str, Any]) -> None:
    from sqlalchemy import create_engine, text  # noqa: PLC0415 - only where it is asked

    engine = create_engine(url, **options)
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT 1"))
    finally:
        engine.dispose()


def _ask_redis(job: Job) -> None:
    client = open_redis(job)
    try:
        client.ping()
    finally:
        client.connection_pool.disconnect()


def _ask_mongodb(job: Job) -> None:
    from pymongo import MongoClient  # noqa: PLC0415 - only where it is asked

    client: MongoClient[dict[str, Any]]
    with MongoClient(job.servers.url("mongodb"), **mongodb_options(job)) as client:
        client.admin.command("ping")


def main(arguments: list[str]) -> int:
    """Try the servers that standard input names and write the answer; 0."""
    access = ServerAccess.from_json(json.load(sys.stdin))
    Path(arguments[0]).write_text(json.dumps(try_servers(access)), encoding="utf-8")
    return 0
