"""The commands behind ``make export-results`` and ``make import-results``."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.archive.export import export_archive, left_out
from perf_pipeline.archive.members import ArchiveError
from perf_pipeline.archive.rules import shown_name
from perf_pipeline.archive.unpack import import_archive
from perf_pipeline.config.settings import current_folder, current_settings
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.exit_code import Exit
from perf_pipeline.program.program import run_program

if TYPE_CHECKING:
    from collections.abc import Iterable


def _new_archive(results: Path) -> Path:
    """Return where an archive goes without a name: here, beside the results, or HOME.

    It goes to the first of them that is the caller's own: not into somebody else's checkout.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%d_%H%M%S")
    places = (current_folder(), results.absolute().parent, Path.home())
    for place in places:
        try:
            is_own = place.stat().st_uid == os.geteuid() and os.access(place, os.W_OK | os.X_OK)
        except OSError:
            continue
        if is_own:
            return place / f"performance_results_{stamp}.tar.gz"
    raise ArchiveError(
        f"no archive was written: none of {', '.join(map(str, places))} is a folder of yours that "
        "can be written to; name the file: make export-results ARCHIVE=FILE"
    )


def main(arguments: Iterable[str]) -> int:
    """Run ``export RESULTS [ARCHIVE]`` or ``import ARCHIVE RESULTS``; 0 or 2."""
    try:
        match list(arguments):
            case ["export", results, *given] if len(given) <= 1:
                archive = Path(given[0]).absolute() if given else _new_archive(Path(results))
                url = current_settings().catalogue_url
                done = f"{export_archive(Path(results), archive, url)} files in {archive}"
                if names := left_out(Path(results)):
                    done += f"; {len(names)} left out, such as {shown_name(names[0])}"
            case ["import", archive, results] if archive:
                url = current_settings().catalogue_url
                count = import_archive(Path(archive), Path(results), url, print)
                done = f"{count} files imported into {results}"
            case _:
                print("name the archive: make import-results ARCHIVE=FILE", file=sys.stderr)  # noqa: T201
                return Exit.BAD_INPUT
    except (PerfPipelineError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return Exit.BAD_INPUT
    print(done)  # noqa: T201
    return 0


if __name__ == "__main__":
    run_program(main)
