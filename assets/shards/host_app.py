"""The Celery application of ``perf-pipeline host``: what a worker plays that serves a queue.

dagster-celery's own command writes the address of the broker, with its password, into a file.
"""

import os
import signal
import threading

from celery.signals import task_prerun, worker_process_init
from dagster_celery.make_app import make_app
from dagster_celery.tasks import create_task

from assets.shards.awaited import wait_while_awaited
from assets.shards.queues import app_arguments
from assets.shards.shard_container import create_container_task
from perf_pipeline.lifeline import bind_to_parent

app = make_app(app_arguments())
create_task(app)
create_container_task(app)


def end_in_order(**_signal: object) -> None:
    """Let SIGTERM end a shard in order; it dies with its worker, which alone could report it."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    bind_to_parent(signal.SIGKILL, os.getppid())


def end_with_run(task_id: str, **_signal: object) -> None:
    """End a shard in order when its run has died: this process plays no other one."""

    def watch() -> None:
        wait_while_awaited(app.backend.client, task_id)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


worker_process_init.connect(end_in_order)
task_prerun.connect(end_with_run)
