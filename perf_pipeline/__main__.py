"""``python -m perf_pipeline``: the command line that users know from the framework before."""

from __future__ import annotations

import sys

from perf_pipeline.compat.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
