"""Shows the progress of a load level in the Dagster UI, every few seconds."""

import time

import dagster as dg

from perf_pipeline.loadgen.supervise.level_log import Progress
from perf_pipeline.report.text.quantity import rounded

EVERY_S = 8.0


class ProgressLog:
    """Turns progress into log lines and asset observations, at most one each ``EVERY_S``."""

    def __init__(self, context: dg.AssetExecutionContext | dg.OpExecutionContext) -> None:
        self._context = context
        is_asset = isinstance(context, dg.AssetExecutionContext)
        self._asset_key = context.asset_key if is_asset else None
        self._due_s = 0.0

    def __call__(self, progress: Progress) -> None:
        """Show ``progress`` if it is time."""
        now_s = time.monotonic()
        if now_s < self._due_s:
            return
        self._due_s = now_s + EVERY_S
        totals = progress.totals
        self._context.log.info(
            f"level {progress.label}, {progress.phase}: {totals.ended} done, "
            f"{totals.in_flight} in flight, {progress.rate_per_s:.1f}/s, {totals.failed} failed"
        )
        if self._asset_key is None:
            return  # a shard is a step, and no asset
        self._context.log_event(
            dg.AssetObservation(
                asset_key=self._asset_key,
                metadata={
                    "level": progress.label,
                    "phase": progress.phase,
                    "elapsed_s": rounded(progress.elapsed_s),
                    "done": totals.ended,
                    "in_flight": totals.in_flight,
                    "rate_per_s": rounded(progress.rate_per_s),
                    "failed": totals.failed,
                },
            )
        )
