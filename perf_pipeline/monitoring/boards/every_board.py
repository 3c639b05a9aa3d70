"""All boards, and every query on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from perf_pipeline.monitoring.boards.containers_board import CONTAINERS_BOARD
from perf_pipeline.monitoring.boards.databases_board import DATABASES_BOARD
from perf_pipeline.monitoring.boards.endurance_board import ENDURANCE_BOARD
from perf_pipeline.monitoring.boards.fault_board import FAULT_BOARD
from perf_pipeline.monitoring.boards.history_board import HISTORY_BOARD
from perf_pipeline.monitoring.boards.run_board import RUN_BOARD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.monitoring.boards.panel import Board

BOARDS: tuple[Board, ...] = (
    RUN_BOARD,
    FAULT_BOARD,
    ENDURANCE_BOARD,
    DATABASES_BOARD,
    CONTAINERS_BOARD,
    HISTORY_BOARD,
)


class PanelQuery(NamedTuple):
    """One query of a panel.

    Attributes:
        board: Its name.
        panel: Its title.
        expr: As the panel has it, with Grafana's variables.
        needs: What a run must have so that it has data; empty if every run has it.
    """

    board: str
    panel: str
    expr: str
    needs: str

    def asked_of(self, run_id: str, interval: str) -> str:
        """Return what Grafana asks Prometheus for one run.

        Args:
            run_id: The chosen run.
            interval: What it averages over, such as ``1m``: four scrapes or more.
        """
        return self.expr.replace("$run_id", run_id).replace("$__rate_interval", interval)


def panel_queries() -> Iterator[PanelQuery]:
    """Yield every query of every panel."""
    for board in BOARDS:
        for panel in board.panels:
            for query in panel.queries:
                yield PanelQuery(board.name, panel.title, query.expr, panel.needs)
