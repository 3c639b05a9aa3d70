"""Builds the images of the stack that no registry has: ``make images``, and every start of it.

::

    python -m perf_pipeline.servers.stack.images [PROFILE...]
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from perf_pipeline.config.settings import current_settings
from perf_pipeline.config.stack_ports import PROFILES
from perf_pipeline.errors import PerfPipelineError, ScenarioError
from perf_pipeline.exit_code import Exit
from perf_pipeline.program.program import run_program
from perf_pipeline.servers.stack.compose import compose

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from perf_pipeline.config.settings import Settings

Services = dict[str, dict[str, Any]]

_ASK_S = 30.0
_BUILD_S = 3600.0
"""Base images and packages come over the network the first time."""


def chosen_profiles(profiles: Sequence[str]) -> tuple[str, ...]:
    """Return the parts of the stack that are meant: all where none is named.

    Raises:
        ScenarioError: There is no such part.
    """
    unknown = sorted(set(profiles) - set(PROFILES))
    if unknown:
        known = ", ".join(PROFILES)
        raise ScenarioError([f"there is no profile {one!r}: {known}." for one in unknown])
    return tuple(profiles) or ("all",)


def read_services(settings: Settings, profiles: Sequence[str]) -> Services:
    """Return the services of parts of the stack, by name, as Compose reads them.

    Raises:
        ComposeError: There is no Compose, or it refused.
    """
    model = compose(settings, profiles, ["config", "--format", "json"], timeout_s=_ASK_S)
    services: Services = json.loads(model)["services"]
    return services


def build_images(
    settings: Settings,
    profiles: Sequence[str],
    services: Mapping[str, dict[str, Any]],
    notify: Callable[[str], None],
) -> list[str]:
    """Build what is built here; layers that did not change come from the engine's cache.

    Args:
        settings: Name the stack and its files.
        profiles: Parts of it.
        services: As ``read_services`` returns them.
        notify: Called with a sentence before something is built.

    Returns:
        The names of the images.

    Raises:
        ComposeError: One cannot be built.
    """
    built = {name: one["image"] for name, one in services.items() if "build" in one}
    if built:
        notify(f"building the images of {', '.join(sorted(built))}")
        compose(settings, profiles, ["build", "--quiet", *sorted(built)], timeout_s=_BUILD_S)
    return sorted(built.values())


def main(arguments: list[str]) -> int:
    """Build the images of parts of the stack, and start nothing."""
    try:
        settings, profiles = current_settings(), chosen_profiles(arguments)
        services = read_services(settings, profiles)
        images = build_images(settings, profiles, services, lambda text: print(text, flush=True))  # noqa: T201
    except PerfPipelineError as error:
        sys.stderr.write(f"{error}\n")
        return Exit.BAD_INPUT
    lines = [f"{image} is built" for image in images] or ["nothing of this part is built here"]
    sys.stdout.write("\n".join([*lines, ""]))
    return Exit.COMPLETE


if __name__ == "__main__":
    run_program(main)
