"""Limits on the stacks of threads, as a child with such limits reads them."""

from __future__ import annotations

import resource
import subprocess
import sys
from typing import TYPE_CHECKING

from perf_pipeline.config.stacks import StackLimits, read_stack_limits

if TYPE_CHECKING:
    from pathlib import Path

_READ = (
    "from pathlib import Path\n"
    "from perf_pipeline.config.stacks import read_stack_limits\n"
    "print(*vars(read_stack_limits(Path('/proc'))).values())"
)


def _proc(root: Path, overcommit: str) -> Path:
    files = {
        "sys/vm/overcommit_memory": overcommit,
        "sys/vm/max_map_count": "65530",
        "meminfo": "MemTotal: 1000 kB\nSwapTotal: 24 kB\nCommitLimit: 600 kB\nCommitted_AS: 200 kB",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"{text}\n")
    return root


def test_what_a_child_was_limited_to_is_what_it_reads() -> None:
    def confine() -> None:
        hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
        resource.setrlimit(resource.RLIMIT_STACK, (3_000_000, hard))
        resource.setrlimit(resource.RLIMIT_AS, (5_000_000_000, 5_000_000_000))
        resource.setrlimit(resource.RLIMIT_DATA, (4_000_000_000, 4_000_000_000))

    child = subprocess.run(
        [sys.executable, "-c", _READ],
        preexec_fn=confine,
        capture_output=True,
        text=True,
        check=True,
    )
    stack, space, maps, *_ = child.stdout.split()
    assert (stack, space) == ("3000000", "4000000000")
    assert int(maps) > 1000


def test_how_the_kernel_overcommits_decides_what_limits_a_stack(tmp_path: Path) -> None:
    heuristic = read_stack_limits(_proc(tmp_path / "0", "0"))
    always = read_stack_limits(_proc(tmp_path / "1", "1"))
    never_too_much = read_stack_limits(_proc(tmp_path / "2", "2"))

    assert (heuristic.largest_bytes, heuristic.commit_free_bytes) == (1024 * 1024, None)
    assert (always.largest_bytes, always.commit_free_bytes) == (None, None)
    assert (never_too_much.largest_bytes, never_too_much.commit_free_bytes) == (None, 400 * 1024)
    assert {one.maps_max for one in (heuristic, always, never_too_much)} == {65530}


def test_a_kernel_that_tells_nothing_has_no_such_limit(tmp_path: Path) -> None:
    found = read_stack_limits(tmp_path)

    assert found == StackLimits(found.stack_bytes, found.address_space_bytes)
