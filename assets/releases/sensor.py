"""The sensor that makes each new release of the target a partition, and measures it."""

from collections.abc import Callable, Sequence

import dagster as dg

from assets.releases.measurement import measured_release
from assets.releases.partitions import (
    FIRST_RELEASES,
    NAME,
    PACKAGE,
    TARGET_RELEASE,
    is_newer,
    listed_releases,
    order_of,
)

ASK_EVERY_S = 3600


def release_sensor(listed: Callable[[], Sequence[str]]) -> dg.SensorDefinition:
    """Make the sensor that makes each new release a partition and measures it.

    Args:
        listed: Asks the index for all releases, oldest first; its errors are the tick's.
    """

    @dg.sensor(
        name="new_target_version",
        job=measured_release,
        minimum_interval_seconds=ASK_EVERY_S,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description=f"Asks the package index each hour for the releases of {PACKAGE}, and measures "
        "every new one, also when several appeared since the last tick. The first tick only "
        f"remembers which there are, and makes the newest {FIRST_RELEASES} partitions.",
    )
    def new_target_version(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        found = tuple(listed())
        partitions = set(context.instance.get_dynamic_partitions(NAME))
        if context.cursor is None:
            first = [one for one in found if one not in partitions and is_newer(one, partitions)]
            first = first if partitions else first[-FIRST_RELEASES:]
            why = f"{PACKAGE} {found[-1]} is the newest now; waiting for another"
            return _result(first, found, skip_reason=why)
        seen = set(context.cursor.split())
        new = [one for one in found if one not in seen]
        if not new:
            return _result(
                [], seen, skip_reason=f"nothing new; {PACKAGE} {found[-1]} is the newest"
            )
        requests = [dg.RunRequest(run_key=one, partition_key=one) for one in new]
        missing = [one for one in new if one not in partitions]
        return _result(missing, seen.union(found), run_requests=requests)

    return new_target_version


def _result(
    add: Sequence[str],
    seen: Sequence[str] | set[str],
    *,
    skip_reason: str | None = None,
    run_requests: list[dg.RunRequest] | None = None,
) -> dg.SensorResult:
    """Return the result of a tick, which remembers every release that was ever listed."""
    return dg.SensorResult(
        run_requests=run_requests,
        skip_reason=skip_reason,
        dynamic_partitions_requests=[TARGET_RELEASE.build_add_request(list(add))] if add else None,
        cursor=" ".join(sorted(seen, key=order_of)),
    )


new_target_version = release_sensor(listed_releases)
