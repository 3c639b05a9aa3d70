"""``python -m assets.job_command JOB``: a Dagster job, recorded where all runs are."""

import os
import sys

from perf_pipeline.config.settings import PROJECT, current_settings
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.exit_code import Exit
from perf_pipeline.program.dagster_home import dagster_environment
from perf_pipeline.program.program import run_program


def main(arguments: list[str]) -> int:
    """Become ``dagster job execute``; return an exit code if that is impossible."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m assets.job_command JOB\n")
        return Exit.BAD_INPUT
    try:
        settings = current_settings()
        environ = dagster_environment(os.environ, settings.state_dir)
    except PerfPipelineError as error:
        sys.stderr.write(f"{error}\n")
        return Exit.BAD_INPUT
    environ["PERF_PIPELINE_RESULTS"] = str(settings.results_dir)  # the caller's, not the project's
    os.chdir(PROJECT)
    execute = ["job", "execute", "-m", "assets.definitions", "-j", *arguments]
    return os.execve(sys.executable, [sys.executable, "-I", "-m", "dagster", *execute], environ)


if __name__ == "__main__":
    run_program(main)
