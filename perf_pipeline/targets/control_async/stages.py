"""The stages of the families with a server call apart from the others: it is awaited.

Each gives what ``run_stages`` of its family gives; tests compare them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perf_pipeline.workload import analytics, data_processing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from perf_pipeline.targets.pooled_stores import PooledStores
    from perf_pipeline.workload.task import Task

    Call = Callable[..., Awaitable[Any]]
    """Given a blocking function and its arguments, awaits what it gives elsewhere."""


async def run_analytics(
    complexity: str, task: Task, stores: PooledStores, call: Call, without: Collection[str]
) -> dict[str, Any]:
    """As ``analytics.run_stages``."""
    names = analytics.stages(complexity, without)
    rows = await call(stores.query, task.bucket)
    summary = analytics.statistics(rows)
    outputs: dict[str, Any] = {"query": rows, "statistics": summary}
    if "report" in names:
        outputs["report"] = analytics.report(summary, task.run_id, task.level, task.number)
    if "cache" in names:
        payload = outputs["report"]["payload"]
        outputs["cache"] = await call(stores.cache, task.redis_key, payload)
    if "store" in names:
        outputs["store"] = await call(stores.store, outputs["report"]["row"])
    if "document" in names:
        document = analytics.document(summary, task.run_id, task.level, task.number)
        outputs["document"] = await call(stores.insert, document)
    return outputs


async def run_data_processing(
    complexity: str, task: Task, stores: PooledStores, call: Call, without: Collection[str]
) -> dict[str, Any]:
    """As ``data_processing.run_stages``; the file, which memory holds, is read on the loop."""
    names = data_processing.stages(complexity, without)
    outputs: dict[str, Any] = {"read": data_processing.read(task.file_path)}
    validated = outputs["validate"] = data_processing.validate(outputs["read"])
    rows = outputs["transform"] = data_processing.transform(validated["rows"])
    if "statistics" in names:
        outputs["statistics"] = analytics.statistics(rows)
    if "report" in names:
        outputs["report"] = data_processing.report(
            rows, outputs["statistics"], validated["bad"], task.run_id, task.level, task.number
        )
    if "store_postgres" in names:
        outputs["store_postgres"] = await call(stores.store, outputs["report"])
    if "store_mysql" in names:
        outputs["store_mysql"] = await call(stores.store_mysql, outputs["report"])
    return outputs
