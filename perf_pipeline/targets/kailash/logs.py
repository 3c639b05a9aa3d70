"""Sends kailash's log lines to standard error, or discards them.

kailash logs a warning of a kilobyte each time that a SQLDatabaseNode with pool options runs, and a
traceback for every failure. By default these are discarded; a workflow's error is in its record.
"""

from __future__ import annotations

import logging
import sys


def send_log(*, in_detail: bool) -> None:
    """Send what kailash logs to standard error, or discard it."""
    logger = logging.getLogger("kailash")
    if in_detail:
        handler: logging.Handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        logger.setLevel(logging.INFO)
    else:
        handler = logging.NullHandler()
    logger.addHandler(handler)
