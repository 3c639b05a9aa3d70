"""What is called noise, what is not, and what is unknown."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.metrics.noise.calibration_figures import FSYNC_MAX_FACTOR
from perf_pipeline.metrics.noise.noise import OTHERS_MAX_PERCENT, STEAL_MAX_PERCENT, noise_of
from perf_pipeline.metrics.resources.host_cores import cpu_of_others, host_cores

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.noise import Noise

CORES = 2
OURS = {"workers": 1.4, "harness": 0.05, "servers": 0.3}


def samples(
    *,
    others: float = 0.0,
    steal: float = 0.0,
    length_s: float = 10.0,
    usable: int = CORES,
    services: tuple[str, ...] = ("postgres",),
    skew_s: random.Random | None = None,
) -> list[dict[str, Any]]:
    """Return the monitor's lines, once a second, of processes that use ``OURS`` and of others.

    With ``skew_s`` the kernel's ticks are whole, and processes are read up to 20 ms after the
    machine.
    """
    lines = []
    for at_s in [float(n) for n in range(int(length_s))] + [length_s]:
        late_s = skew_s.uniform(0, 0.02) if skew_s else 0.0

        def ticked(cores: float, t_s: float, tick_s: float = 0.01 if skew_s else 1e-9) -> float:
            return int((100 + cores * t_s) / tick_s) * tick_s

        busy = sum(OURS.values()) + others
        idle = max(0.0, CORES - busy - steal)

        def own(role: str, pid: int, late_s: float = late_s, at_s: float = at_s) -> dict[str, Any]:
            return {"pid": pid, "cpu_s": ticked(OURS[role], at_s + late_s)}

        lines.append(
            {
                "at_ns": round(at_s * 1e9),
                "workers": [own("workers", 1)],
                "harness": [own("harness", 2)],
                "servers": [own("servers", 3) | {"service": name} for name in services],
                "problems": {},
                "host": {
                    "busy_s": ticked(busy, at_s),
                    "iowait_s": 0.0,
                    "steal_s": ticked(steal, at_s),
                    "idle_s": ticked(idle, at_s),
                    "cores_usable": usable,
                },
            }
        )
    return lines


def canary(**changes: Any) -> dict[str, Any]:
    """Return a round as it is stored."""
    facts = {"core_ns_per_unit": 80.0, "waited_ratio": 0.0, "fsync_s": 0.0002, "problem": ""}
    return facts | changes


def noise(
    lines: list[dict[str, Any]],
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    **more: Any,
) -> Noise:
    """Judge a level of two quiet rounds of the calibration unless others are given."""
    calibrations = {"before": before or canary(), "after": after or canary()}
    return judge(lines, calibrations, **more)


def judge(
    lines: list[dict[str, Any]],
    calibrations: dict[str, Any],
    *,
    cpu_limit_cores: float | None = None,
    judged: bool = True,
) -> Noise:
    """Judge a level from the monitor's lines and the calibrations around it."""
    host = host_cores(lines)
    others = cpu_of_others(lines, host, ["postgres"], cpu_limit_cores)
    return noise_of(host, others, calibrations, judged=judged)


def test_a_quiet_machine_is_quiet() -> None:
    found = noise(samples(others=0.02))

    assert (found.verdict, found.causes, found.not_measured) == ("quiet", (), ())
    assert found.figures[0].value == pytest.approx(1.0)


def test_a_program_that_takes_a_tenth_of_the_cores_is_named_with_its_share() -> None:
    found = noise(samples(others=0.2))

    assert found.verdict == "noisy"
    assert found.causes == (
        (
            "share of the cores that other programs used: 10 %, limit 3 % "
            "(1.95 of 2 cores were busy, the run's own processes used 1.75)"
        ),
    )


def test_quiet_levels_are_called_noisy_at_most_once_in_a_hundred() -> None:
    """1000 levels of 3 s, read as the kernel counts.

    Ticks are 10 ms, and processes are read up to 20 ms after the machine; others use 1.3 % of the
    cores, the maximum on a quiet machine.
    """
    rng = random.Random(5)
    found = [noise(samples(others=0.026, length_s=3.0, skew_s=rng)) for _ in range(1000)]

    assert sum(one.verdict == "noisy" for one in found) <= 10
    assert {one.verdict for one in found} <= {"quiet", "noisy"}


def test_a_tenth_of_the_cores_is_found_in_every_level_of_three_seconds() -> None:
    rng = random.Random(6)
    found = [noise(samples(others=0.2, length_s=3.0, skew_s=rng)) for _ in range(300)]

    assert sum(one.verdict == "noisy" for one in found) >= 297


@pytest.mark.parametrize(
    ("lines", "more", "why"),
    [
        (samples(others=0.2, length_s=2.0), {}, r"2.0 s between first and last"),
        (samples(others=0.2)[:1], {}, "were not read in two samples"),
        ([], {}, "were not read"),
        ([one | {"host": None} for one in samples()], {}, "were not read"),
        (samples(others=0.2, usable=1), {}, "may use 1 of 2 cores"),
        (samples(others=0.2), {"cpu_limit_cores": 0.5}, r"may use 0.5 of 2 cores"),
        (samples(others=0.2, services=()), {}, "postgres is no process of this run"),
        ([one | {"workers": []} for one in samples(others=0.2)], {}, "own processes used"),
    ],
)
def test_what_cannot_be_told_apart_is_unknown_and_never_a_verdict(
    lines: list[dict[str, Any]], more: dict[str, Any], why: str
) -> None:
    found = noise(lines, **more)

    assert (found.verdict, found.causes) == ("unknown", ())
    assert any(why in line for line in found.not_measured), found.not_measured
    assert found.figures[0].value is None


def test_stolen_time_is_noise_above_its_limit() -> None:
    just_above = CORES * (STEAL_MAX_PERCENT + 0.1) / 100
    just_below = CORES * (STEAL_MAX_PERCENT - 0.1) / 100

    assert "steal" in noise(samples(steal=just_above)).causes[0]
    assert noise(samples(steal=just_below)).verdict == "quiet"


@pytest.mark.parametrize(
    ("after", "cause"),
    [
        ({"core_ns_per_unit": 133.0}, "66.3 %, limit 15 % (80.0 ns a unit before, 133.0 after)"),
        ({"core_ns_per_unit": 60.0}, "33.3 %, limit 15 %"),
        ({"waited_ratio": 0.5}, "50 %, limit 20 % (0 % of the time before, 50 % after)"),
        ({"fsync_s": 0.02}, "100 times, limit 8 times (0.20 ms, then 20.00 ms)"),
    ],
)
def test_fixed_work_that_changed_over_the_level_is_a_warning_and_no_noise(
    after: dict[str, Any], cause: str
) -> None:
    """In either direction; no counter shows a neighbour, so the level stays valid."""
    quiet = samples(others=0.02)
    there, back = (
        noise(quiet, canary(), canary(**after)),
        noise(quiet, canary(**after), canary()),
    )

    for found in (there, back):
        assert (found.verdict, found.causes, len(found.warnings)) == ("quiet", (), 1)
    assert cause in there.warnings[0]


def test_changes_that_a_quiet_machine_shows_are_none() -> None:
    """Cores were 11 % faster once they were warm; a write of 0.13 ms took 4 ms now and then."""
    after = canary(core_ns_per_unit=89.0, waited_ratio=0.05, fsync_s=0.004)
    found = noise(samples(), canary(), after)

    assert (found.verdict, found.warnings) == ("quiet", ())
    assert FSYNC_MAX_FACTOR < 0.004 / 0.0002


def test_a_level_whose_run_was_killed_says_that_it_has_no_calibration_after_it() -> None:
    found = judge(samples(), {"before": canary(), "after": None, "stalled_percent": None})

    assert found.verdict == "quiet"
    assert [line.rpartition(": ")[2] for line in found.not_measured] == ["no calibration after"] * 3


def test_a_disk_that_could_not_be_written_to_is_not_measured_with_its_reason() -> None:
    found = noise(samples(), canary(), canary(fsync_s=None, problem="/data: no space left"))

    assert found.verdict == "quiet"
    assert found.not_measured[0].endswith("/data: no space left")


def test_pressure_is_shown_and_decides_nothing_since_the_load_is_among_it() -> None:
    calibrations = {
        "before": canary(),
        "after": canary(),
        "stalled_percent": {"cpu": 99.0, "memory": None},
    }
    found = judge(samples(), calibrations, cpu_limit_cores=2.0, judged=False)
    cpu, memory = found.figures[-2:]

    assert (found.verdict, found.judged) == ("quiet", False)
    assert (cpu.value, cpu.limit, cpu.above_limit) == (99.0, None, None)
    assert (memory.value, memory.note) == (None, "not counted by this kernel")


def test_noise_beside_something_unknown_is_still_noise() -> None:
    found = noise(samples(others=0.2), canary(fsync_s=None, problem="gone"))

    assert found.verdict == "noisy"
    assert len(found.not_measured) == 1
    assert found.figures[0].value == pytest.approx(100 * 0.2 / CORES)
    assert OTHERS_MAX_PERCENT < 50
