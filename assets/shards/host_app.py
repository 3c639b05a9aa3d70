"""The Celery application of ``perf-pipeline host``: what a worker plays that serves a queue.

dagster-celery's own command writes the address of the broker, with its password, into a file.
"""

import os
import signal

from celery.signals import worker_process_init
from dagster_celery.make_app import make_app
from dagster_celery.tasks import create_task
from dagster_celery_docker.executor import create_docker_task

from assets.shards.queues import app_arguments
from perf_pipeline.lifeline import bind_to_parent

app = make_app(app_arguments())
create_task(app)
create_docker_task(app)


def end_in_order(**_signal: object) -> None:
    """Let SIGTERM end a shard in order; it dies with its worker, which alone could report it."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    bind_to_parent(signal.SIGKILL, os.getppid())


worker_process_init.connect(end_in_order)
