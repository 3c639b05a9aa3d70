"""How long a store that does not take what it is sent is waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.config.log_settings import LOGS_URL
from perf_pipeline.errors import ServiceUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.monitoring.shipping.store import StoreBusyError


class StoreWait:
    """Waits between requests, until a store has taken nothing for a limit of time."""

    def __init__(
        self,
        shown: str,
        limit_s: float | None,
        *,
        clock_s: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        """Wait for nothing yet.

        Args:
            shown: Address of the store, without a password.
            limit_s: How long it may take nothing; None for ever.
            clock_s: Seconds since any moment.
            sleep: Waits so many seconds.
        """
        self._shown, self._limit_s = shown, limit_s
        self._clock_s, self._sleep = clock_s, sleep
        self._began_s: float | None = None

    def answered(self) -> None:
        """Note that the store has taken something."""
        self._began_s = None

    def before_retry(self, error: StoreBusyError, wait_s: float) -> None:
        """Wait before a request is repeated, at most until the limit.

        Args:
            error: Why it is.
            wait_s: How long to wait.

        Raises:
            ServiceUnavailableError: The store has taken nothing for as long as the limit.
        """
        now_s = self._clock_s()
        self._began_s = now_s if self._began_s is None else self._began_s
        if self._limit_s is None:
            self._sleep(wait_s)
            return
        waited_s = now_s - self._began_s
        if waited_s >= self._limit_s:
            raise ServiceUnavailableError(
                f"the store {self._shown} took nothing for {waited_s:.0f} s (limit: "
                f"{self._limit_s:.0f} s): {error}\nWhat it took before is noted. Start it, or set "
                f"{LOGS_URL} to one that runs, and give the command again: it sends the rest."
            ) from error
        self._sleep(min(wait_s, self._limit_s - waited_s))
