"""``python -m perf_pipeline.cli`` is ``perf-pipeline``."""

from __future__ import annotations

from perf_pipeline.cli import main

if __name__ == "__main__":
    main()
