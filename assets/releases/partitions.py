"""The partitions, one a release of the target: filled by a job and by the sensor, in order."""

import os
import platform
from collections.abc import Collection, Sequence

import dagster as dg
from packaging.version import InvalidVersion, Version
from pydantic import Field

from perf_pipeline.loadgen.environment.releases import Wanted, list_releases

PACKAGE = "kailash"
"""The target whose releases are measured, which is also the name of its package."""

NAME = "target_release"
TARGET_RELEASE = dg.DynamicPartitionsDefinition(name=NAME)
FIRST_RELEASES = 10
"""Releases that become partitions where there were none, the newest ones."""


class ReleasesConfig(dg.Config):
    """Which releases become partitions."""

    releases: list[str] = Field(
        default=[],
        description=f"Releases, such as 2.65.0. Empty: the newest {FIRST_RELEASES} of the index.",
    )


@dg.op
def add_releases(context: dg.OpExecutionContext, config: ReleasesConfig) -> None:
    """Make releases partitions, in the order of their versions."""
    wanted = config.releases or list(listed_releases()[-FIRST_RELEASES:])
    there = context.instance.get_dynamic_partitions(NAME)
    missing = set(wanted).difference(there)
    if missing and not all(is_newer(one, there) for one in missing):
        # The UI shows partitions in the order in which they were added, so newer ones come again.
        for one in there:
            context.instance.delete_dynamic_partition(NAME, one)
        missing |= set(there)
    context.instance.add_dynamic_partitions(NAME, sorted(missing, key=order_of))
    context.log.info(f"releases of {PACKAGE} that were added: {', '.join(wanted) or 'none'}")


@dg.job(description="Make releases of the target partitions of release_measurement.")
def releases() -> None:
    """Add releases."""
    add_releases()


def listed_releases() -> Sequence[str]:
    """Ask the package index for all releases of the target, oldest first."""
    return list_releases(PACKAGE, Wanted(platform.python_version()), os.environ)


def is_newer(release: str, partitions: Collection[str]) -> bool:
    """Return whether a release is newer than all partitions."""
    return all(order_of(release) > order_of(one) for one in partitions)


def order_of(partition: str) -> Version:
    """Return what partitions are sorted by: in the UI anybody may add one that is no version."""
    try:
        return Version(partition)
    except InvalidVersion:
        return Version("0")
