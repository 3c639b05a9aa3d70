"""``make monitor-resources``: the samples of a run's resources, level after level, as they come."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.errors import RunFolderError
from perf_pipeline.program.program import run_program
from perf_pipeline.samples.run_list import find_run
from perf_pipeline.samples.run_record import COMPLETE, FAILED, INTERRUPTED, KILLED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from perf_pipeline.samples.run_folder import RunFolder

ENDED = (COMPLETE, FAILED, INTERRUPTED, KILLED)
LOOK_EVERY_S = 0.5


def follow_samples(run: RunFolder, sleep: Callable[[float], None]) -> Iterator[str]:
    """Yield the path of each level's samples, then its samples as lines of JSON, as they come.

    It ends with the run. Of a run that goes on, the samples begin with the latest one; of one
    that has ended, that is the only one.

    Args:
        run: The run.
        sleep: Called between two looks.
    """
    files = _files(run)
    read_bytes = {path: path.stat().st_size for path in files}
    if files:
        read_bytes[files[-1]] = _start_of_last_line(files[-1])
        yield str(files[-1])
    while True:
        has_ended = run.read_status()["status"] in ENDED  # before the files: none comes after it
        for path in _files(run):
            if path not in read_bytes:
                read_bytes[path] = 0
                yield str(path)
            for line in _complete_lines(path, read_bytes[path]):
                read_bytes[path] += len(line)
                yield line.decode(errors="replace").rstrip()
        if has_ended:
            return
        sleep(LOOK_EVERY_S)


def _files(run: RunFolder) -> list[Path]:
    return sorted((run.root / "levels").glob("*/resources.jsonl"))


def _start_of_last_line(path: Path) -> int:
    content = path.read_bytes()
    return content.rfind(b"\n", 0, content.rfind(b"\n")) + 1


def _complete_lines(path: Path, offset: int) -> list[bytes]:
    with path.open("rb") as file:
        file.seek(offset)
        return [line for line in file if line.endswith(b"\n")]


def main(arguments: Iterable[str]) -> int:
    """Follow the newest run of a results folder; 0 when it has ended, 2 without a run."""
    (results,) = arguments
    lines = 0
    try:
        run = find_run(Path(results), None)
        for line in follow_samples(run, time.sleep):
            print(line, flush=True)  # noqa: T201
            lines += 1
        status = run.read_status()["status"]
    except RunFolderError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    except KeyboardInterrupt:
        return 0
    print(f"run {run.run_id}: {status}" + ("" if lines else "; it has no samples"), file=sys.stderr)  # noqa: T201
    return 0


if __name__ == "__main__":
    run_program(main)
