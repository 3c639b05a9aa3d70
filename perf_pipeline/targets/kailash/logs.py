"""Where kailash's log lines go.

It logs a warning of a kilobyte each time that a SQLDatabaseNode with pool options runs, and a
traceback for every failure. By default these go nowhere; what a workflow raised is in its record.
"""

from __future__ import annotations

import logging
import sys


def send_log(*, in_detail: bool) -> None:
    """Send what kailash logs to standard error, or nowhere."""
    logger = logging.getLogger("kailash")
    if in_detail:
        handler: logging.Handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        logger.setLevel(logging.INFO)
    else:
        handler = logging.NullHandler()
    logger.addHandler(handler)
