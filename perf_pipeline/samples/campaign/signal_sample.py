"""``hours/000/signals.jsonl``: a line for each sample of the signals that a leak moves."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import IO, TYPE_CHECKING

from perf_pipeline.errors import RunFolderError
from perf_pipeline.samples.run_file import read_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True)
class SignalSample:
    """The signals at one moment.

    Attributes:
        seconds: Since the campaign began.
        workflows: Ended since the target's process booted.
        values: ``WHO.SIGNAL`` (``target.heap_blocks``, ``redis.used_memory_bytes``) to value; what
            could not be measured is absent.
    """

    seconds: float
    workflows: int
    values: dict[str, float]


def append_sample(file: IO[str], sample: SignalSample) -> None:
    """Write a sample as one line; a killed writer leaves whole lines and at most one torn one."""
    file.write(json.dumps(asdict(sample), allow_nan=False) + "\n")
    file.flush()


def read_samples(path: Path) -> Iterator[SignalSample]:
    """Read the samples of an hour, in order; none where the file is missing.

    Raises:
        RunFolderError: A line other than the last, which may be torn, is no sample.
    """
    try:
        lines = read_file(path).decode().splitlines()
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        raise RunFolderError(f"{path} cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        try:
            found = json.loads(line)
            yield SignalSample(
                float(found["seconds"]),
                int(found["workflows"]),
                {str(name): float(value) for name, value in found["values"].items()},
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            if number == len(lines):
                return
            raise RunFolderError(f"{path}, line {number}, is no sample: {error!r}") from error
