"""Plays a shard in its container, for as long as the worker on its host lives.

The worker hands on what to play, and every variable, by standard input: what is an argument or a
variable of a container is shown by ``docker inspect``. It keeps the pipe open, so that its end is
the end of the worker, however that died.
"""

import io
import json
import os
import signal
import threading
import time

from dagster._cli.api import api_cli

from perf_pipeline.lifeline import PARENT_GONE

STEP = "DAGSTER_COMPRESSED_EXECUTE_STEP_ARGS"
"""Where ``dagster api execute_step`` finds what to play."""
END_WITHIN_S = 15.0
"""How long a shard may take to end in order."""


def main() -> None:
    """Play the shard."""
    os.environ.update(json.loads(io.FileIO(0, closefd=False).readline()))
    threading.Thread(target=_end_with_worker, daemon=True).start()
    api_cli(["execute_step"])


def _end_with_worker() -> None:
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(END_WITHIN_S)
    os._exit(PARENT_GONE)


if __name__ == "__main__":
    main()
