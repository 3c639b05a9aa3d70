"""The arguments of LocalRuntime that follow from the target's settings."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kailash.runtime.local import LocalRuntime

    Settings = Mapping[str, bool | int | float | str]

RETRY_AFTER_S = 0.1
OPEN_S = 1
"""How long an open circuit breaker refuses; whole seconds, as kailash takes them."""


def retry_failing_nodes(runtime: LocalRuntime) -> None:
    """Have the retry policy of a runtime act on nodes that fail; by default it gives up at once."""
    from kailash.sdk_exceptions import NodeExecutionError  # noqa: PLC0415 - not in early releases

    runtime.add_retriable_exception(NodeExecutionError)


def runtime_options(settings: Settings) -> dict[str, Any]:
    """Return the arguments of LocalRuntime.

    Raises:
        ValueError: kailash cannot do it here: it measures memory by psutil alone.
    """
    options: dict[str, Any] = {"enable_monitoring": settings["enable_monitoring"]}
    limit_mb = settings["strict_memory_limit_mb"]
    if limit_mb:
        if find_spec("psutil") is None:
            raise ValueError(
                f"strict_memory_limit_mb is {limit_mb}, but psutil is not installed beside "
                "kailash, which fails every workflow without it; take the target kailash+psutil"
            )
        options["enable_resource_limits"] = True
        options["resource_limits"] = {"max_memory_mb": limit_mb, "enforcement_policy": "strict"}
    return {**options, **_protections(settings)}


def _protections(settings: Settings) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if retries := int(settings.get("runtime_retries", 0)):
        strategy = {"type": "fixed_delay", "delay": RETRY_AFTER_S, "jitter": False}
        options["retry_policy_config"] = {
            "default_strategy": {**strategy, "max_attempts": 1 + retries}
        }
    if failures := int(settings.get("runtime_breaker_failures", 0)):
        options["circuit_breaker_config"] = {
            "failure_threshold": failures,
            "timeout_seconds": OPEN_S,
        }
    if settings.get("branching"):
        options["conditional_execution"] = "skip_branches"
    return options
