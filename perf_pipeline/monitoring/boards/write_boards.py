"""Writes the boards for Grafana: ``python -m perf_pipeline.monitoring.boards.write_boards FOLDER``.

The files in ``infra/grafana/dashboards`` are what this writes; a test compares them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from perf_pipeline.exit_code import Exit
from perf_pipeline.monitoring.boards.every_board import BOARDS
from perf_pipeline.monitoring.boards.grafana_json import dashboard
from perf_pipeline.program.program import run_program


def texts() -> dict[str, str]:
    """Return the text of each file by its name."""
    return {f"{board.name}.json": json.dumps(dashboard(board), indent=1) + "\n" for board in BOARDS}


def main(arguments: list[str]) -> int:
    """Write the files into the folder that is named."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        usage = "usage: python -m perf_pipeline.monitoring.boards.write_boards FOLDER\n"
        sys.stderr.write(usage)
        return Exit.BAD_INPUT
    for name, text in texts().items():
        Path(arguments[0], name).write_text(text, encoding="utf-8")
        sys.stdout.write(f"{arguments[0]}/{name}\n")
    return Exit.COMPLETE


if __name__ == "__main__":
    run_program(main)
