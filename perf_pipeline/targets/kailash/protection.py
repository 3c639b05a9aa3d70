"""kailash's own retry engine and circuit breaker, put around the execution of each workflow.

Given to LocalRuntime, neither does anything to an ordinary workflow. So the adapter calls kailash's
classes itself, as an application would; what they save or cost is theirs and the adapter's.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from kailash.runtime.resource_manager import (
    CircuitBreaker,
    ExceptionClassifier,
    FixedDelayStrategy,
    RetryPolicyEngine,
)
from kailash.sdk_exceptions import CircuitBreakerOpenError, KailashException

from perf_pipeline.steps import COUNT, buffer_in_use
from perf_pipeline.targets.kailash.runtime_options import OPEN_S, RETRY_AFTER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine


class Protection:
    """Shared by the threads of a process: a breaker that one of them opens is open for all."""

    def __init__(self, retries: int, breaker_failures: int) -> None:
        """Make kailash's objects.

        Args:
            retries: Further attempts of a workflow that failed; 0 for none.
            breaker_failures: Failures in a row that open the breaker; 0 for no breaker.
        """
        self._breaker = (
            CircuitBreaker("perf_pipeline", breaker_failures, OPEN_S) if breaker_failures else None
        )
        self._engine = _engine(retries) if retries else None

    def call(self, execute: Callable[[], None], workflow: tuple[int, int]) -> None:
        """Execute a workflow; counts its attempts if it may have several.

        Args:
            execute: Executes it once.
            workflow: Which one it is, as ``steps.workflow_of`` has it.

        Raises:
            Exception: What the last attempt raised, or that the breaker is open.
        """
        if self._engine is None:
            self._guarded(execute)
            return
        attempts = 0

        def attempt() -> None:
            nonlocal attempts
            attempts += 1
            self._guarded(execute)

        async def beside_the_loop() -> None:
            await asyncio.to_thread(attempt)  # LocalRuntime behaves otherwise on a running loop

        result = asyncio.run(self._engine.execute_with_retry(beside_the_loop))
        buffer = buffer_in_use()
        if buffer is not None:
            buffer.add("attempts", buffer.clock_ns(), attempts, COUNT, workflow)
        if not result.success:
            raise result.final_exception

    def _guarded(self, execute: Callable[[], None]) -> None:
        if self._breaker is None:
            execute()
        else:
            _finish(self._breaker.call(execute))


def _engine(retries: int) -> Any:
    classifier = ExceptionClassifier()
    classifier.add_retriable_exception(KailashException)
    classifier.add_non_retriable_exception(CircuitBreakerOpenError)
    strategy = FixedDelayStrategy(max_attempts=1 + retries, delay=RETRY_AFTER_S, jitter=False)
    return RetryPolicyEngine(strategy, classifier, enable_analytics=False)


def _finish(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that awaits nothing, without an event loop."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    coroutine.close()
    raise RuntimeError("kailash's circuit breaker waited for something: it is not called from here")
