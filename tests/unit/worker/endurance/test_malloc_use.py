"""What malloc has handed out is what was allocated, in any thread, and what came back is free."""

from __future__ import annotations

import json
import subprocess
import sys

from perf_pipeline.worker.endurance.malloc_use import UNKNOWN, MallocReader
from tests.sandbox import ROOT

COUNT, SIZE = 10_000, 1000
TOTAL = COUNT * SIZE

ALLOCATING = f"""
import ctypes, json, sys, threading
from perf_pipeline.worker.endurance.malloc_use import MallocReader

library, reader, blocks, uses = ctypes.CDLL(None), MallocReader(), [], []
library.malloc.restype, library.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
kept = (ctypes.c_void_p * {COUNT})()
def allocate():
    for at in range({COUNT}):
        kept[at] = library.malloc({SIZE})
def note():
    blocks.append(sys.getallocatedblocks())
    use = reader.read()
    uses.append([use.used_bytes, use.free_bytes])
grows = bytearray(1)
note()
thread = threading.Thread(target=allocate)
thread.start()
thread.join()
note()
for at in range(0, {COUNT}, 2):  # every other one: no arena can be given back
    library.free(kept[at])
note()
grows.extend(bytes({TOTAL}))
note()
grows.clear()
note()
print(json.dumps([blocks, uses]))
"""


def test_what_the_interpreter_does_not_count_is_counted_in_every_arena() -> None:
    """Native code allocates 10 MB in a thread, frees half; an object grows to 10 MB, and shrinks.

    None of it is a block of the interpreter's. A piece of 1000 bytes takes up to 48 more.
    """
    answer = subprocess.run(
        [sys.executable, "-c", ALLOCATING], cwd=ROOT, capture_output=True, text=True, check=True
    )
    blocks, uses = json.loads(answer.stdout)
    used, free = zip(*uses, strict=True)
    assert max(blocks) - min(blocks) < COUNT / 20
    assert TOTAL <= used[1] - used[0] < 1.1 * TOTAL
    assert 0.45 * TOTAL < used[1] - used[2] < 0.55 * TOTAL
    assert 0.45 * TOTAL < free[2] - free[1] < 0.55 * TOTAL
    assert used[3] - used[2] >= TOTAL
    assert abs(used[4] - used[2]) < TOTAL / 100


def test_a_c_library_that_does_not_count_gives_nothing_instead_of_zero_growth() -> None:
    assert MallocReader(object()).read() == UNKNOWN
