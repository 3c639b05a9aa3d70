"""Examples at the end of each command's ``--help``."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[str, ...]] = {
    "run": (
        "perf-pipeline run baseline",
        "perf-pipeline run baseline --concurrency 10 50 --duration 5",
        "perf-pipeline run my.toml --target control --seed 7 --json",
        "perf-pipeline run baseline --gate production",
        "perf-pipeline run baseline --target kailash==2.19.0 --setting enable_monitoring=true",
    ),
    "capacity": (
        "perf-pipeline capacity baseline --slo 'p99_s < 5'",
        "perf-pipeline capacity my.toml --slo 'p99_s < 0.5' --of rate --duration 20 --json",
        "perf-pipeline capacity baseline --target control --nodes lean --slo 'avg_s<1' --max 2000",
    ),
    "check": ("perf-pipeline check my.toml", "perf-pipeline check baseline --json"),
    "scenarios": ("perf-pipeline scenarios", "perf-pipeline scenarios --json"),
    "records": (
        "perf-pipeline records",
        "perf-pipeline records latest --results elsewhere --json",
    ),
    "histograms": (
        "perf-pipeline histograms",
        "perf-pipeline histograms results/run-1 /other/host/results/run-2 --json",
        "perf-pipeline histograms RUN1 RUN2 --all-levels --phase steady",
    ),
    "report": ("perf-pipeline report", "perf-pipeline report results/20241201_120000-4f2c"),
    "start": ("perf-pipeline start; perf-pipeline run baseline; perf-pipeline stop",),
    "stop": ("perf-pipeline stop",),
    "status": ("perf-pipeline status", "perf-pipeline status --gate --json"),
    "doctor": ("perf-pipeline doctor", "perf-pipeline doctor --json"),
    "selftest": ("perf-pipeline selftest", "perf-pipeline selftest merge --size ci --json"),
}


def epilog(command: str) -> str:
    """Return the end of a command's help; an empty line keeps lines apart there."""
    return "\n\n".join(["Examples:", *EXAMPLES[command]])
