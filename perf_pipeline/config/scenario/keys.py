"""Every key of a scenario file, with its type, range and meaning: one table.

Messages of ``check`` and ``run`` about a wrong value are made from this table, and the flags of
``run`` are checked by the same rows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from perf_pipeline.config.duration import seconds_in
from perf_pipeline.config.fault.fault_kinds import ALL_SERVERS, FAULT_KINDS
from perf_pipeline.config.http.http_request import CONNECTIONS, METHODS
from perf_pipeline.config.http.known_servers import KNOWN_SERVERS
from perf_pipeline.config.scenario.arrivals import SCHEDULES
from perf_pipeline.config.scenario.scenario import (
    COMPLEXITIES,
    FAMILIES,
    MISSING_SERVERS,
    NODES,
    ORDERS,
)
from perf_pipeline.config.scenario.target_spec import parse_target, target_names
from perf_pipeline.config.services import SERVICES
from perf_pipeline.config.think_time import DISTRIBUTIONS
from perf_pipeline.config.wording import did_you_mean, listed, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

MAX_LEVEL = 20_000
"""Limit of a level on any machine; ``machine.py`` computes the limit of this one."""

FUNCTION = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")

LABEL = re.compile(r"[a-z][a-z0-9_-]{0,39}")
"""A label names a folder, and is never all digits: those are the folders of levels."""


@dataclass(frozen=True)
class Key:
    """One key of a scenario file: the values that it takes, and what they mean.

    Attributes:
        name: The key, with its unit last.
        kind: What TOML value it takes.
        meaning: What it counts or is, unit included; for messages.
        low: Minimum of a number; minimum length of a text.
        high: Maximum, likewise.
        choices: The only texts allowed, if not empty.
        is_required: No default would be an honest guess.
        takes_many: It takes a list of 1 to ``MAX_LIST_LENGTH`` such values, no two of them equal.
    """

    name: str
    kind: Literal[
        "integer", "number", "text", "lines", "label", "boolean", "target", "function", "table"
    ]
    meaning: str
    low: float = 0
    high: float = 0
    choices: Collection[str] = ()
    is_required: bool = False
    takes_many: bool = False

    def allowed(self) -> str:
        """Return a text that lists the allowed values."""
        if self.choices:
            return listed([f'"{choice}"' for choice in self.choices])
        if self.kind in {"integer", "number"}:
            article = "an integer" if self.kind == "integer" else "a number"
            return f"{article} from {_plain(self.low)} to {_plain(self.high)}"
        return {
            "boolean": "true or false",
            "function": "module:function",
            "lines": f"a text of {self.low:g} to {self.high:g} characters",
            "table": "a table",
            "label": "1 to 40 of a-z, 0-9, _ and -, beginning with a letter (it names a folder)",
            "target": f"{listed(target_names())}, then ==version and +package as wanted "
            "(kailash==2.19.0+pandas)",
            "text": f"one line of {self.low:g} to {self.high:g} printable characters",
        }[self.kind]

    @property
    def is_time(self) -> bool:
        """True for a length of time in seconds."""
        ends = self.name.endswith("_s") and not self.name.endswith("_per_s")
        return self.kind == "number" and ends

    def meant(self, value: object) -> object:
        """Return a length of time with a unit (``30s``) as seconds; any other value as it is."""
        found = seconds_in(value) if self.is_time and isinstance(value, str) else None
        return value if found is None else found

    def problems_of(self, value: object) -> Iterator[tuple[tuple[int, ...], str]]:
        """Yield what is wrong with a value.

        Yields:
            Where (empty for the value itself, else the index in the list) and the tail of a
            sentence; nothing if the value fits.
        """
        if not self.takes_many:
            if not self._fits(value):
                yield (), self._problem_of(value)
        elif not isinstance(value, (list, tuple)) or not 1 <= len(value) <= MAX_LIST_LENGTH:
            allowed = f"a list of 1 to {MAX_LIST_LENGTH} values, each {self.allowed()}"
            yield (), f"is {shown(value)}; allowed is {allowed} ({self.meaning})."
        else:
            for index, item in enumerate(value):
                if not self._fits(item):
                    yield (index,), self._problem_of(item)
                elif item in value[:index]:
                    again = "name each value once (repeats runs all of them again)"
                    yield (index,), f"is {shown(item)} for the second time; {again}."

    def stand_in(self) -> str | float | dict[str, object]:
        """Return a valid value, with which the check goes on in place of an invalid one."""
        if self.kind in {"integer", "number"}:
            return self.low
        if self.kind == "boolean":
            return False
        if self.kind == "table":
            return {}
        if self.kind == "target":
            return target_names()[0]
        return next(iter(self.choices), "")

    def _problem_of(self, value: object) -> str:
        if self.kind == "target" and isinstance(value, str):
            return f"is {shown(value)}, which {_target_problem(value)} ({self.meaning})."
        near = did_you_mean(value, tuple(self.choices)) if isinstance(value, str) else ""
        if self.is_time and isinstance(value, str):
            near = 'a text is a length of time in seconds, or with a unit, such as "30s" or "5m".'
        tail = f"; {near}" if near else "."
        return f"is {shown(value)}; allowed is {self.allowed()} ({self.meaning}){tail}"

    def _fits(self, value: object) -> bool:
        if self.kind in {"integer", "number"}:
            wanted = int if self.kind == "integer" else int | float
            # bool is an int in Python; NaN fails the comparison, as do both infinities.
            return (
                isinstance(value, wanted)
                and not isinstance(value, bool)
                and self.low <= value <= self.high
            )
        if self.kind in {"boolean", "table"}:
            return isinstance(value, bool if self.kind == "boolean" else dict)
        return isinstance(value, str) and self._fits_text(value)

    def _fits_text(self, text: str) -> bool:
        if self.choices:
            return text in self.choices
        if self.kind == "target":
            return not _target_problem(text)
        if self.kind in {"label", "function"}:
            pattern = LABEL if self.kind == "label" else FUNCTION
            return pattern.fullmatch(text) is not None
        is_one_line = self.kind == "lines" or text.isprintable()
        return self.low <= len(text) <= self.high and is_one_line


def _target_problem(text: str) -> str:
    """Return what is wrong with a target's text; empty if nothing is."""
    try:
        parse_target(text)
    except ValueError as error:
        near = did_you_mean(text.partition("=")[0].partition("+")[0], target_names())
        return f"{error}; {near}" if near and "names no target" in str(error) else str(error)
    return ""


def _plain(number: float) -> str:
    return f"{int(number)}" if number == int(number) else f"{number}"


MAX_LIST_LENGTH = 50

MAX_FILE_BYTES = 16 * 1024
"""Of a scenario file. Built-in ones have about 1 kB. One dotted key of 64 kB keeps ``tomllib`` busy
for 17 s."""

OWN_HOSTS = Key("own_hosts", "text", "a host of your own that is loaded", 1, 255, takes_many=True)

LEVEL = Key(
    "concurrency",
    "integer",
    "workflows in flight",
    1,
    MAX_LEVEL,
    is_required=True,
    takes_many=True,
)
TARGET = Key("target", "target", "what executes the workflows")
NODES_KEY = Key("nodes", "text", "how the workflows are written", choices=NODES)
SEED = Key("seed", "integer", "source of every random choice", 0, 2**63 - 1)
REPEATS = Key("repeats", "integer", "how many times the levels run", 1, 100)
ORDER = Key("order", "text", "order of the levels of each repeat", choices=ORDERS)
COMPLEXITY = Key("complexity", "text", "how many nodes a workflow has", choices=COMPLEXITIES)
FAMILY = Key("family", "text", "what one workflow does", choices=FAMILIES)
PROCESSES = Key("processes", "integer", "worker processes a level", 1, 64)
MEMORY_LIMIT = Key("memory_mb", "number", "MB, memory of all workers of a level", 1, 10_000_000)
CPU_LIMIT = Key(
    "cpu_percent", "number", "percent of one core, CPU of all workers of a level", 1, 100_000
)
MAX_ERRORS = Key(
    "max_error_ratio", "number", "share of failures above which the target has failed", 0, 1
)
STEADY = Key("steady_s", "number", "s, minimum length of the steady phase", 0.5, 86_400)

THINK = Key("mean_s", "number", "s between a user's workflows, mean", 0, 3600)

RATE = Key("rate_per_s", "number", "workflows that arrive a second", 0.001, 1_000_000)
SLOTS = Key("slots", "integer", "workflows in flight at most", 1, MAX_LEVEL)
HOURS = Key("hours", "number", "hours of constant load", 0.001, 720)
HOUR_SECONDS = Key("hour_seconds", "number", "s, length of an hour", 1, 3600)
FLAG_SCHEDULE = Key("schedule", "text", "when they arrive", choices=("poisson", "constant"))

TOP: tuple[Key, ...] = (
    Key("title", "text", "shown in lists and reports", 0, 200),
    SEED,
    TARGET,
    NODES_KEY,
    replace(LEVEL, is_required=False),
    PROCESSES,
    REPEATS,
    ORDER,
    Key(
        "missing_servers",
        "text",
        "what happens without a server that is only written to",
        choices=MISSING_SERVERS,
    ),
    Key("interpreter", "text", "path of a Python that has everything installed", 1, 4096),
    Key("python_path", "text", "folder of your own modules, from the scenario's", 1, 4096),
    Key("setup", "function", "called once in each worker process, before its first workflow"),
    Key("teardown", "function", "called once in each worker process, after its last workflow"),
    Key("trial_call", "boolean", "your own functions are called once before the load"),
    Key("servers", "text", "servers for your own functions", choices=SERVICES, takes_many=True),
    Key("level_names", "text", "what people call the levels", 1, 40, takes_many=True),
    MAX_ERRORS,
    Key("sample_every_s", "number", "s between two samples of the resources", 0.1, 3600),
    Key("log_detail", "boolean", "what the target logs goes to the workers' logs"),
    Key("stress", "boolean", "the targets' limits on errors are those under stress"),
)

SECTIONS: dict[str, tuple[Key, ...]] = {
    "phases": (
        Key("ramp_up_s", "number", "s over which the slots start", 0, 3600),
        Key("warm_up_s", "number", "s of warm-up unless it is over sooner", 0, 3600),
        Key("warm_up_min_s", "number", "s of warm-up that may not be cut short", 0, 3600),
        STEADY,
        Key("steady_workflows", "integer", "workflows that end in the steady phase", 0, 10_000_000),
        Key("steady_max_s", "number", "s, maximum length of a phase", 0.5, 86_400),
        Key("drain_s", "number", "s in which workflows in flight may still end", 0, 3600),
        Key("deadline_s", "number", "s after which a workflow is a timeout", 0.1, 3600),
        Key("total_workflows", "integer", "workflows that end a steady phase", 0, 10_000_000),
        Key("cooldown_s", "number", "s of rest after a level", 0, 3600),
    ),
    "think_time": (
        THINK,
        Key("distribution", "text", "how think times vary", choices=DISTRIBUTIONS),
    ),
    "connections": (
        Key("max_db_connections", "integer", "connections of all workers to a server", 1, 10_000),
        Key("connection_timeout_s", "number", "s to wait for a free connection", 0.1, 3600),
        Key("transaction_think_time_s", "number", "s of thinking in a transaction", 0, 3600),
    ),
    "limits": (MEMORY_LIMIT, CPU_LIMIT),
    "stop": (
        Key("error_ratio", "number", "share of failures that ends a level", 0.01, 1),
        Key("memory_free_mb", "number", "MB of free memory below which a level ends", 0, 1e7),
        Key("descriptors_free", "integer", "files below which a level ends", 0, 10_000_000),
    ),
    "endurance": (
        replace(RATE, is_required=True),
        HOURS,
        HOUR_SECONDS,
        SLOTS,
        Key("start_timeout_s", "number", "s to wait for a free slot", 0.001, 3600),
        Key("lease_s", "number", "s that the target waits for the next hour", 1, 86_400),
        Key("twin", "boolean", "a second process leaks on purpose beside scaled hours"),
    ),
}
"""Tables that occur once: ``[phases]``."""

REPEATED: dict[str, tuple[Key, ...]] = {
    "workload": (
        FAMILY,
        COMPLEXITY,
        Key("function", "function", "a function of your own, called with the workflow's number"),
        Key("data", "text", "CSV or JSON lines file: a row for each call of function", 1, 4096),
        Key("weight", "number", "share of the mix, relative to the others", 0.001, 1000),
    ),
    "arm": (
        Key("label", "label", "name in the report and of a folder", is_required=True),
        replace(TARGET, is_required=True),
        Key("nodes", "text", "how the workflows are written", choices=NODES, is_required=True),
        Key("concurrency", "integer", "workflows in flight", 1, MAX_LEVEL, is_required=True),
        Key(
            "steady_s",
            "number",
            "s, minimum length of its steady phase",
            0.5,
            86_400,
            is_required=True,
        ),
    ),
    "stage": (
        Key("label", "label", "name in the report and of a folder"),
        Key("concurrency", "integer", "workflows in flight", 0, MAX_LEVEL, is_required=True),
        Key("steady_s", "number", "s, minimum length of its steady phase", 0.5, 86_400),
        Key("ramp_s", "number", "s from the load before it to its own", 0, 3600),
    ),
    "arrivals": (
        Key("label", "label", "name in the report and of a folder", is_required=True),
        Key("schedule", "text", "when they arrive", choices=SCHEDULES, is_required=True),
        RATE,
        Key("end_rate_per_s", "number", "workflows a second at the end", 0.001, 1_000_000),
        Key("steps", "integer", "parts of constant rate", 1, 1000),
        Key("burst_size", "integer", "workflows that arrive at one moment", 1, 100_000),
        Key("burst_every_s", "number", "s from one burst to the next", 0.01, 3600),
        Key("trace", "text", "file with an arrival a line, seconds", 1, 4096),
        Key("steady_s", "number", "s, length of its measured part", 0.5, 86_400),
        Key("duration_s", "number", "s, length of the schedule, warm-up included", 0.5, 86_400),
        SLOTS,
        Key("start_timeout_s", "number", "s to wait for a free slot", 0.001, 3600),
        Key("title", "text", "what people call it", 1, 40),
        Key("level", "label", "streams with the same level run together"),
        Key("workloads", "text", "what arrives in this stream", 1, 200, takes_many=True),
    ),
    "level": (
        Key("label", "label", "name in the report and of a folder", is_required=True),
        Key("concurrency", "integer", "workflows in flight", 1, MAX_LEVEL, is_required=True),
        Key("title", "text", "what people call it", 1, 40),
        Key("steady_s", "number", "s, minimum length of its steady phase", 0.5, 86_400),
        *SECTIONS["connections"][:2],
        *SECTIONS["limits"],
    ),
    "fault": (
        Key("kind", "text", "what fails", choices=FAULT_KINDS, is_required=True),
        Key("server", "text", "the server that it is done to", choices=ALL_SERVERS),
        Key("at_s", "number", "s after the begin of the steady phase", 0, 86_400, is_required=True),
        Key("duration_s", "number", "s, its length", 0.5, 3600, is_required=True),
        Key("level", "text", "the load level that it belongs to", 1, 40),
    ),
    "requests": (
        Key("name", "label", "name in the report", is_required=True),
        Key("url", "text", "where it is sent", 1, 4096, is_required=True),
        Key("server", "text", "what answers there", choices=KNOWN_SERVERS),
        Key("method", "text", "what is asked for", choices=METHODS),
        Key("headers", "table", "name to value; ${NAME} is a variable that is passed through"),
        Key("body", "lines", "what is sent", 0, MAX_FILE_BYTES),
        Key("expect_status", "integer", "status of the right answer", 100, 599),
        Key("expect_text", "text", "what the right answer contains", 0, 4096),
        Key("expect_json", "table", "members that the right answer has"),
        Key("connection", "text", "what a request is sent on", choices=CONNECTIONS),
        Key("timeout_s", "number", "s for connecting, and for each part of the answer", 0.01, 3600),
        Key("weight", "number", "share of the mix, relative to the others", 0.001, 1000),
    ),
}
"""Tables that occur any number of times: ``[[workload]]``."""

FAULT = "fault"

SETTINGS = "settings"
"""Table of options of a target, at the top and in an arm (``target_settings.py``), and of a
failure (``fault_table.py``)."""
