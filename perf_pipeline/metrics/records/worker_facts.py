"""Facts that the worker processes of a run reported: interpreter, settings, remarks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.samples.journal import REPLACED, TEARDOWN, read_facts

if TYPE_CHECKING:
    from perf_pipeline.samples.run_folder import RunFolder

_LONG_FACTS = ("modules", "environment", REPLACED, TEARDOWN)
_NOTHING = "none"


def worker_facts(folder: RunFolder) -> dict[str, str]:
    """Return the facts of the worker processes, without the long ones.

    Returns:
        Fact to its value; where levels differ (an arm runs another release in another
        environment), to each distinct value with the folders of its levels.

    Raises:
        sqlite3.DatabaseError: A file is not a journal.
    """
    facts: dict[str, dict[str, dict[str, None]]] = {}
    for level in folder.level_folders():
        for journal in sorted(level.glob("worker-*.sqlite")):
            for name, value in read_facts(journal).items():
                if name not in _LONG_FACTS:
                    facts.setdefault(name, {}).setdefault(value, {})[level.name] = None
    return {name: _shown(values) for name, values in facts.items()}


def _shown(values: dict[str, dict[str, None]]) -> str:
    if len(values) == 1:
        return next(iter(values))
    return "; ".join(
        f"{value or _NOTHING} ({', '.join(levels)})" for value, levels in values.items()
    )
