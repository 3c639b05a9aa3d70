"""Setup and teardown of a user's own runtime in one worker process, each called once.

The main thread calls them, or awaits them on the event loop of the workflows, so that teardown
can give back what setup made where it was made. Teardown begins when every record is committed:
whatever it does costs no measurement.
"""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

from perf_pipeline.samples.journal import TEARDOWN
from perf_pipeline.samples.slots import IN_SETUP
from perf_pipeline.targets.forked import COPIES, end_copy
from perf_pipeline.targets.raised import what_was_raised
from perf_pipeline.targets.user_function import check_ran, load_stage
from perf_pipeline.worker.process_end import end_later

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.samples.slots import SlotFile
    from perf_pipeline.targets.user_function import Form

    Call = Callable[[Callable[[], Any]], object]
    """Calls a function without arguments; awaits it where it is a coroutine function."""

TEARDOWN_S = 10.0
"""What takes longer is abandoned."""


class Lifecycle:
    """The setup and the teardown of a target; either may be missing."""

    def __init__(
        self,
        setup: str = "",
        teardown: str = "",
        form: Form = "callable",
        call: Call = lambda function: function(),
    ) -> None:
        """Import both, after the target's functions.

        Args:
            setup: ``module:function``; empty for none.
            teardown: Likewise.
            form: The target that calls them.
            call: Calls one of them.

        Raises:
            ImportError, TypeError, ValueError: As ``load_stage``.
        """
        self._names = {"setup": setup, "teardown": teardown}
        self._functions = {
            stage: load_stage(name, form) for stage, name in self._names.items() if name
        }
        self._call = call

    def run(self, stage: str) -> None:
        """Call ``setup`` or ``teardown``; nothing if the job has none.

        Raises:
            BaseException: What it raised.
        """
        if stage not in self._functions:
            return
        try:
            check_ran(self._names[stage], self._call(self._functions[stage]))
        except BaseException as error:
            if COPIES:
                end_copy(error)
            raise
        if COPIES:  # a process that it forked must not go on as a second worker
            end_copy(None)

    def set_up(self, slots: SlotFile) -> None:
        """Call the setup.

        Args:
            slots: Says meanwhile what the worker is doing.

        Raises:
            RuntimeError: It raised; one sentence with what, and where.
        """
        slots.words[IN_SETUP] = int("setup" in self._functions)
        try:
            self.run("setup")
        except BaseException as error:
            name = self._names["setup"]
            raise RuntimeError(f"setup {name} raised {what_was_raised(error)}") from error
        slots.words[IN_SETUP] = 0

    def tear_down(
        self,
        store: Callable[[dict[str, str]], None],
        code: int,
        limit_s: float = TEARDOWN_S,
    ) -> None:
        """Call the teardown for a bounded time; what goes wrong with it is stored as a fact.

        Args:
            store: Stores facts about this process.
            code: What this process ends with, also where the teardown has to be abandoned.
            limit_s: How long it may take.
        """
        if "teardown" not in self._functions:
            return
        shown = f"teardown {self._names['teardown']}"
        # Before it begins: a process that is killed meanwhile cannot store it.
        abandoned = f"{shown} had not ended when its worker process ended (limit {limit_s:g} s)"
        store({TEARDOWN: abandoned})
        call_off = end_later(code, limit_s, f"{shown} still ran after {limit_s:g} s")
        problem = ""
        try:
            self.run("teardown")
        except BaseException as error:  # noqa: BLE001 - of the user; it costs no measurement
            traceback.print_exc()
            problem = f"{shown} raised {what_was_raised(error)}"
        call_off()
        store({TEARDOWN: problem})


NO_LIFECYCLE = Lifecycle()
"""Of a target without setup and teardown."""
