"""Extra levels whose worker process traces its allocations, for real."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.allocation_run import trace_growth
from perf_pipeline.config.scenario.scenario import Phases, Scenario, Workload
from perf_pipeline.report.allocations.sentences import growth_sentences
from perf_pipeline.worker.tracing.trace_job import TraceJob
from tests.integration.conftest import settings_in

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.metrics.allocations.growth_places import GrowthPlaces


pytestmark = pytest.mark.integration

SHOP = """
import asyncio
import os
import time
from collections import OrderedDict

KEPT = []
CACHE = OrderedDict()
FIRST = []
FILES = []

class Order:
    def __init__(self, number):
        self.number, self.self, self.text = number, self, bytes(5000)

def keep():
    KEPT.append(bytes(1000))

def cache(number):
    CACHE[number] = bytes(2000)
    if len(CACHE) > 150:
        CACHE.popitem(last=False)

def remember_first():
    if len(FIRST) < 400:
        FIRST.append(bytes(3000))

def retain(number):
    keep()
    cache(number)
    remember_first()
    Order(number)

def leak(number):
    time.sleep(0.005)
    retain(number)

async def leak_async(number):
    await asyncio.sleep(0.005)
    retain(number)

def leak_files(number):
    Order(number)
    if number % 10 == 0:
        FILES.append(os.open(os.devnull, os.O_RDONLY))

def fall(number):
    if number > 200:
        os._exit(3)
"""
SMALL = TraceJob(
    warm_up_workflows=100, interval_workflows=100, intervals=6, caller_workflows=20, limit_s=120
)
KEEP = SHOP.splitlines().index("    KEPT.append(bytes(1000))") + 1
"""The line that keeps an object of 1033 bytes and a pointer of 8 in a list, a workflow."""


def traced(folder: Path, function: str, target: str = "callable") -> GrowthPlaces:
    """Play one of the shop's functions, and return what grew."""
    (folder / "shop.py").write_text(SHOP)
    scenario = Scenario(
        "shop",
        target=target,
        workloads=(Workload(function, ""),),
        phases=Phases(drain_s=1.0),
        concurrency=(500,),
        interpreter=sys.executable,
        python_path=str(folder),
        trial_call=False,
    )
    return trace_growth(scenario, settings_in(folder), trace=SMALL)


@pytest.mark.parametrize(
    ("function", "target"), [("shop:leak", "callable"), ("shop:leak_async", "callable_async")]
)
def test_the_line_that_keeps_an_object_a_workflow_is_named_alone(
    tmp_path: Path, function: str, target: str
) -> None:
    """Its growth is exact; a cache and a list that fill meanwhile, and garbage, are not named."""
    found = traced(tmp_path, function, target)
    assert found.problem == ""
    (named,) = found.places
    assert (named.lines[0].file, named.lines[0].line) == ("shop.py", KEEP)
    assert [line.function for line in named.lines[:2]] == ["keep", "retain"]
    assert named.blocks.per_1000 == pytest.approx(1000, abs=2)
    assert named.size_bytes.per_1000 == pytest.approx(1000 * (1033 + 8), rel=0.01)
    assert found.warm_up_workflows >= 100
    assert found.in_flight == 10
    assert found.cost is not None
    assert found.cost.cpu_ratio is not None
    assert found.cost.tracer_bytes > 0


def test_a_leak_of_descriptors_grows_nothing_in_the_heap(tmp_path: Path) -> None:
    """A workflow also leaves 5 KB in a cycle of references, which is no growth either."""
    found = traced(tmp_path, "shop:leak_files")
    assert found.places == ()
    assert found.process is not None
    assert found.process.heap_bytes.low > -20_000
    assert found.process.heap_bytes.high < 20_000
    assert found.process.open_files.per_1000 == pytest.approx(100, rel=0.05)
    assert found.process.open_files.low > 0
    text = " ".join(growth_sentences(found))
    assert "No place grew to the end" in text
    assert "more open files per 1000 workflows" in text


def test_a_target_that_ends_names_nothing_and_says_why(tmp_path: Path) -> None:
    found = traced(tmp_path, "shop:fall")
    assert "the worker process of the traced level ended: exit code 3" in found.problem
    assert (found.places, found.other_places, found.process) == ((), (), None)


KAILASH = """
from kailash.nodes.base import Node, NodeParameter
from kailash.runtime.local import LocalRuntime
from kailash.workflow.graph import Workflow

KEPT = []

class Price(Node):
    def get_parameters(self):
        return {"number": NodeParameter(name="number", type=int, required=False)}

    def run(self, number):
        KEPT.append(bytes(5000))
        return {"price": 3 * number}

WORKFLOW = Workflow("shop", "shop")
WORKFLOW.add_node("price", Price())
RUNTIME = LocalRuntime()

def order(number):
    results, _ = RUNTIME.execute(WORKFLOW, parameters={"price": {"number": number}})
    assert results["price"]["price"] == 3 * number
"""


@pytest.mark.slow
def test_a_leak_in_a_node_of_kailash_is_named_first_with_its_exact_growth(tmp_path: Path) -> None:
    """5033 bytes and a pointer a workflow.

    The runtime's list of its newest 10,000 validations, two a node, fills until 5000 workflows of
    one node, so it may be named after the node: it does grow as far as these workflows show.
    """
    (tmp_path / "shop.py").write_text(KAILASH)
    scenario = Scenario(
        "shop",
        target="callable",
        workloads=(Workload("shop:order", ""),),
        phases=Phases(drain_s=1.0),
        concurrency=(1,),
        interpreter=sys.executable,
        python_path=str(tmp_path),
    )
    found = trace_growth(scenario, settings_in(tmp_path), trace=replace(SMALL, limit_s=200))
    assert found.problem == ""
    first = found.places[0]
    assert first.lines[0].function == "Price.run"
    assert first.size_bytes.per_1000 == pytest.approx(1000 * (5033 + 8), rel=0.01)
    assert "kailash/nodes/base.py" in [line.file for line in first.lines]
    assert found.cost is not None
    assert found.cost.cpu_ratio is not None
    assert found.cost.cpu_ratio > 1
