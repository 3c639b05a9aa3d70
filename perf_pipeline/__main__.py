"""``python -m perf_pipeline``: the command line that users know from the framework before."""

from __future__ import annotations

from perf_pipeline.program.program import run_program


def _main(arguments: list[str]) -> int:
    from perf_pipeline.compat.command import main  # noqa: PLC0415 - an import may fail as well

    return main(arguments)


if __name__ == "__main__":
    run_program(_main, only_prints=lambda arguments: "--verify-only" in arguments)
