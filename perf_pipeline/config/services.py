"""The services that workflows can use, one row each.

A row holds what is known of a service without its driver: names, the form of its URL, and how the
workflows' driver is recognised. It is read by the settings, by scenarios, by worker processes and
by reports, so this module imports the standard library alone. What needs a driver (find, start,
seed, count, probe) is in the module ``perf_pipeline.servers.<name>.service``; see
``servers.service.Service``.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit


@dataclass(frozen=True)
class ServiceSpec:
    """One service.

    Attributes:
        name: As scenarios, manifests and result files call it.
        label: As people call it.
        example_url: A complete URL. The URLs in the settings are checked against it: same scheme;
            a user and a database where it has them; its port is the default.
        aliases: Other names of that scheme, beside the service's own.
        other_schemes: Schemes with a meaning of their own, such as TLS.
        takes_host_lists: A URL may name several hosts, separated by commas.
        has_driver_defaults: The driver completes a URL without host, port, user or database.
        drivers: Paths of the workflows' driver, below ``site-packages``: a thread inside of them
            talks to this service.
        pool_function: Function of the driver in which a thread waits for a connection of the
            driver's own pool; None where SQLAlchemy has the pool.
        pool: How each worker process bounds its connections; for the manifest.
        monitor_connections: Connections that the driver opens in each worker process beside its
            pool, to watch the server; they count as connections of the worker.
        is_single_threaded: It executes all commands in one thread.
        module: Where the rest of the service is implemented; empty for
            ``perf_pipeline.servers.<name>.service``.
    """

    name: str
    label: str
    example_url: str
    aliases: tuple[str, ...] = ()
    other_schemes: tuple[str, ...] = ()
    takes_host_lists: bool = False
    has_driver_defaults: bool = False
    drivers: tuple[str, ...] = ()
    pool_function: str | None = None
    pool: str = ""
    monitor_connections: int = 0
    is_single_threaded: bool = False
    module: str = ""

    @property
    def url_variable(self) -> str:
        """The environment variable that names a server of the user's."""
        return f"PERF_PIPELINE_{self.name.upper()}_URL"

    @property
    def example(self) -> SplitResult:
        """The parts of the example URL."""
        return urlsplit(self.example_url)

    @property
    def has_numbered_databases(self) -> bool:
        """Databases are numbers, and 0 is the default."""
        return self.example.path.strip("/").isdecimal()


_SQL_POOL = "pool_size = limit // workers, max_overflow = 0"

SERVICES: dict[str, ServiceSpec] = {
    spec.name: spec
    for spec in (
        ServiceSpec(
            "postgres",
            "PostgreSQL",
            "postgresql://user:password@host:5432/database",
            takes_host_lists=True,
            has_driver_defaults=True,
            # psycopg2 itself is C: its frames are those of SQLAlchemy that call it.
            drivers=("psycopg2/", "sqlalchemy/engine/default.py"),
            pool="SQLAlchemy QueuePool in each worker (kailash: the one behind SQLDatabaseNode), "
            f"{_SQL_POOL}",
        ),
        ServiceSpec(
            "mysql",
            "MySQL",
            "mysql://user:password@host:3306/database",
            aliases=("mariadb",),
            drivers=("pymysql/",),
            pool=f"SQLAlchemy QueuePool in each worker, {_SQL_POOL}",
        ),
        ServiceSpec(
            "redis",
            "Redis",
            "redis://host:6379/0",
            other_schemes=("rediss", "unix"),
            drivers=("redis/",),
            pool_function="get_connection",
            pool="redis-py BlockingConnectionPool in each worker, max_connections = limit // "
            "workers (kailash: one such client in place of RedisNode's own, which is unbounded)",
            is_single_threaded=True,
        ),
        ServiceSpec(
            "mongodb",
            "MongoDB",
            "mongodb://host:27017/database",
            other_schemes=("mongodb+srv",),
            takes_host_lists=True,
            drivers=("pymongo/",),
            pool_function="_get_conn",
            pool="pymongo client in each worker, maxPoolSize = limit // workers - 1 (at "
            "least 1), and a connection by which it watches the server",
            monitor_connections=1,
        ),
    )
}
"""Name to service, in the order in which people see them."""


def service_label(name: str) -> str:
    """Return what people call a service; a name without a row is its own label."""
    spec = SERVICES.get(name)
    return spec.label if spec is not None else name
