"""Refuses requests to hosts that may be somebody else's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.config.http.addresses import addresses_of, is_own_address
from perf_pipeline.config.http.request_table import REQUESTS
from perf_pipeline.config.wording import listed, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.config.scenario.problems import Problems
    from perf_pipeline.config.scenario.scenario import Scenario

OPTION = "--i-own-this-host"


def with_own_hosts(scenario: Scenario) -> Scenario:
    """Return the scenario whose requests know which hosts the command line called one's own."""
    own = {host.lower() for host in scenario.own_hosts}
    return replace(
        scenario,
        workloads=tuple(
            replace(one, request=replace(one.request, is_own_host=one.request.host in own))
            if one.request
            else one
            for one in scenario.workloads
        ),
    )


def check_hosts(
    scenario: Scenario,
    problems: Problems,
    resolve: Callable[[str], tuple[str, ...]] = addresses_of,
) -> None:
    """Add a problem for each host with an address that is neither loopback nor private.

    Args:
        scenario: Its requests; those to hosts that the command line names may go anywhere.
        problems: Receives the problems.
        resolve: Host to its addresses; raises ``OSError`` where there is none.
    """
    own = {host.lower() for host in scenario.own_hosts}
    requests = [one.request for one in scenario.workloads if one.request]
    for host in sorted(own - {request.host for request in requests}):
        text = f"{shown(host)} is given, but no request goes there; leave it out."
        problems.flag(OPTION, text)
    found: dict[str, str] = {}
    for index, request in enumerate(requests):
        path = (REQUESTS, index, "url")
        if request.host in own or not problems.is_good(path):
            continue
        if request.host not in found:
            found[request.host] = _problem(request.host, resolve)
        if found[request.host]:
            problems.at(path, found[request.host])


def _problem(host: str, resolve: Callable[[str], tuple[str, ...]]) -> str:
    """Return why a host is refused; empty if it is not."""
    try:
        addresses = resolve(host)
    except OSError as error:
        reason = error.strerror or str(error)
        return f"names the host {shown(host)}, whose address cannot be found: {reason.lower()}."
    foreign = [one for one in addresses if not is_own_address(one)]
    if not foreign:
        return ""
    return (
        f"names the host {shown(host)} with the address {listed(foreign)}, which is neither "
        f"loopback nor private: load on somebody else's server is an attack. If the host is "
        f"yours, say so: {OPTION} {host}"
    )
