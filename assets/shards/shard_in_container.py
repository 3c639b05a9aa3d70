"""Plays a shard in its container, for as long as the worker on its host lives.

The worker hands on what to play, and every variable, by standard input: what is an argument or a
variable of a container is shown by ``docker inspect``. It keeps the pipe open. A second line asks
for an end in order; the end of the pipe is that of the worker, with which a shard dies at once, as
one does that is a process of the worker itself.
"""

import io
import json
import os
import signal
import threading
import time

from dagster._cli.api import api_cli

from perf_pipeline.lifeline import PARENT_GONE

END = b"end\n"
"""Asks for an end in order, which may take ``END_WITHIN_S``."""
END_WITHIN_S = 15.0


def main() -> None:
    """Play the shard."""
    pipe = io.FileIO(0, closefd=False)
    os.environ.update(json.loads(pipe.readline()))
    threading.Thread(target=_obey, args=(pipe,), daemon=True).start()
    api_cli(["execute_step"])


def _obey(pipe: io.FileIO) -> None:
    if pipe.readline() == END:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(END_WITHIN_S)
    os._exit(PARENT_GONE)


if __name__ == "__main__":
    main()
