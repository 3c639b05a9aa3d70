"""Whatever container of the stack is killed, an alert says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.docker.stack_under_test import eventually

if TYPE_CHECKING:
    from tests.docker.stack_under_test import StackUnderTest

KILLED = ("redis", "node_exporter", "postgres_exporter")
"""A server, and two that nothing but Prometheus talks to."""
FIRING_S = 150.0
"""They fire after 30 s; a scrape and two evaluations come on top, on a machine that is busy."""


def test_a_container_that_is_killed_is_in_an_alert_that_names_it(stack: StackUnderTest) -> None:
    """Prometheus has it firing, and Alertmanager has received it; both end with its return."""
    names = {stack.container(service) for service in KILLED}
    assert firing(stack) & names == set()
    eventually(lambda: seen(stack) >= names, FIRING_S, f"cAdvisor sees {names}")
    try:
        stack.docker("kill", *sorted(names))
        eventually(lambda: firing(stack) >= names, FIRING_S, f"ContainerDown for {names}")
        targets = stack.query('ALERTS{alertname="TargetDown",alertstate="firing"}')
        servers = stack.query('ALERTS{alertname="ServerDown",alertstate="firing"}')
        assert {one["metric"]["job"] for one in targets} >= {"node", "postgres"}
        assert {one["metric"]["job"] for one in servers} == {"redis"}
        eventually(lambda: received(stack) >= names, 30.0, "Alertmanager has them")
    finally:
        stack.docker("start", *sorted(names))
    eventually(lambda: not firing(stack) & names, FIRING_S, "the alerts end")


def seen(stack: StackUnderTest) -> set[str]:
    """Return the containers of which cAdvisor has told Prometheus."""
    return {one["metric"]["name"] for one in stack.query('container_last_seen{name=~".+"}')}


def firing(stack: StackUnderTest) -> set[str]:
    """Return the containers that Prometheus has an alert on."""
    alerts = stack.query('ALERTS{alertname="ContainerDown",alertstate="firing"}')
    return {one["metric"]["name"] for one in alerts}


def received(stack: StackUnderTest) -> set[str]:
    """Return the containers that Alertmanager has an alert on."""
    alerts = stack.get_json("alertmanager", "api/v2/alerts")
    return {one["labels"].get("name", "") for one in alerts}
