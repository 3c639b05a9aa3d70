"""The variables that infra/compose.yaml reads: a port for each service, a password for each store.

Compose reads them itself, from the environment and from infra/.env. They are here so that the
settings know them, and so that the file with passwords can be written.
"""

from __future__ import annotations

STACK_PORTS = {
    "postgres": 5435,
    "mysql": 3308,
    "redis": 6381,
    "mongodb": 27018,
    "toxiproxy": 8474,
    "prometheus": 9090,
    "alertmanager": 9093,
    "grafana": 3000,
    "cadvisor": 8080,
    "node_exporter": 9100,
    "redis_exporter": 9121,
    "postgres_exporter": 9187,
    "mysql_exporter": 9104,
    "mongodb_exporter": 9216,
    "elasticsearch": 9201,
    "kibana": 5601,
    "dagster_webserver": 3001,
    "dashboard": 8081,
}
"""Service to its port on 127.0.0.1, unless its variable says otherwise."""

PROFILES = ("databases", "monitoring", "logs", "dagster", "generators", "all")
"""Parts of the stack that can be started by themselves; all is all but the generators."""

PASSWORD_VARIABLES = tuple(
    f"PERF_PIPELINE_{store}_PASSWORD"
    for store in ("POSTGRES", "MYSQL", "REDIS", "MONGODB", "GRAFANA", "ELASTIC")
)


def port_variable(service: str) -> str:
    """Return the variable that moves a service to another port."""
    return f"PERF_PIPELINE_{service.upper()}_PORT"


COMPOSE_VARIABLES = (
    *map(port_variable, STACK_PORTS),
    *PASSWORD_VARIABLES,
    "PERF_PIPELINE_DOCKER_SOCKET",
    "PERF_PIPELINE_DOCKER_GID",
    "PERF_PIPELINE_DOCKER_ROOT",
    "PERF_PIPELINE_IMAGE",
    "PERF_PIPELINE_RUN_CPU_PERCENT",
    "PERF_PIPELINE_RUN_DOCKER_SOCKET",
    "PERF_PIPELINE_RUN_MEMORY",
)
"""All that the Compose file reads: DOCKER_... is where the engine is, RUN_... limits a load run."""
