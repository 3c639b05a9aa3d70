"""The same job on other hosts: in a queue a host, in containers, and on Kubernetes."""

from dagster_k8s import k8s_job_executor

from assets.shards.jobs import sharded_job
from assets.shards.queues import CONTAINER, container_a_shard, queue_a_host

QUEUES = ("gen-a", "gen-b")

JOBS = [
    sharded_job(
        "sharded_load_celery",
        queue_a_host,
        "A load run in shards, each played by the worker of its host (perf-pipeline host NAME).",
        hosts=QUEUES,
    ),
    sharded_job(
        "sharded_load_celery_docker",
        container_a_shard,
        "The same, each shard in a fresh container of its host.",
        hosts=QUEUES,
        execution={"docker": CONTAINER},
    ),
    sharded_job(
        "sharded_load_k8s",
        k8s_job_executor,
        "The same, each step in a pod (infra/kubernetes).",
        hosts=QUEUES,
    ),
]
