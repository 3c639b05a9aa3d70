"""Checks Kubernetes manifests without a cluster; run by the image's Python, which has dagster-k8s.

A manifest is read into the models of Kubernetes' client, which know every field, its type and
whether it is required, and is written again: what they do not know, or would change, is refused.
Dagster's own code makes the Jobs of steps from the values of its chart. That a server takes and
plays them is not shown here.

Reads an object from standard input, and writes one to standard output:

    {"manifests": [...]}                                     -> {"problems": [text or null, ...]}
    {"values": ..., "run_config": ..., "steps": [name, ...]} -> {"jobs": {name: Job, ...}}
    {"steps_of": name of a job of Dagster's}                 -> {"steps": [name, ...]}
"""

from __future__ import annotations

import json
import sys
from typing import Any

import kubernetes.client as k8s
from dagster._config import process_config, resolve_to_config_type
from dagster_k8s import K8sRunLauncher, k8s_job_executor
from dagster_k8s.container_context import K8sContainerContext
from dagster_k8s.job import DagsterK8sJobConfig, construct_dagster_k8s_job
from dagster_k8s.models import k8s_model_from_dict, k8s_snake_case_dict

_MODELS = {
    "Job": k8s.V1Job,
    "Pod": k8s.V1Pod,
    "PersistentVolumeClaim": k8s.V1PersistentVolumeClaim,
}


def problem_of(document: dict[str, Any]) -> str | None:
    """Return why Kubernetes would refuse a manifest, or read something else than it says."""
    model = _MODELS[document["kind"]]
    try:
        known = k8s_model_from_dict(model, k8s_snake_case_dict(model, document))
    except Exception as error:  # noqa: BLE001 - dagster_k8s raises no other
        return f"{type(error).__name__}: {error}"
    read_back = k8s.ApiClient().sanitize_for_serialization(known)
    return None if read_back == document else f"{document} is read as {read_back}"


def job_of_step(values: dict[str, Any], run_config: dict[str, Any], step: str) -> dict[str, Any]:
    """Return the Job that Dagster's executor makes for a step."""
    config = run_config["execution"]["config"]
    of_executor = _processed(k8s_job_executor.config_schema.config_type, config)
    of_step = {"run_k8s_config": of_executor["per_step_k8s_config"].get(step, {})}
    context = _context_of_run(values).merge(
        K8sContainerContext.create_from_config({"k8s": of_step})
    )
    job = construct_dagster_k8s_job(
        DagsterK8sJobConfig(
            job_image="perf-pipeline:dev", dagster_home="/opt/dagster/dagster_home"
        ),
        args=["dagster", "api", "execute_step"],
        job_name="step",
        user_defined_k8s_config=context.run_k8s_config,
    )
    made: dict[str, Any] = k8s.ApiClient().sanitize_for_serialization(job)
    return made


def steps_of(job: str) -> list[str]:
    """Return the ops of a job of the image's code location; by Dagster's k8s executor alone."""
    sys.path.insert(0, "/app")
    from assets.execution.deployed_location import defs  # noqa: PLC0415 - not needed by the rest

    found = defs.get_job_def(job)
    if found.executor_def is not k8s_job_executor:
        raise ValueError(f"{job} has the executor {found.executor_def.name}")
    return [node.name for node in found.nodes]


def _context_of_run(values: dict[str, Any]) -> K8sContainerContext:
    """Return what Dagster's chart makes of its values: the launcher's, then the code location's."""
    (code,) = values["dagster-user-deployments"]["deployments"]
    launcher = values["runLauncher"]["config"]["k8sRunLauncher"]
    raw = launcher["runK8sConfig"]
    of_runs = {
        "container_config": raw["containerConfig"],
        "pod_spec_config": raw["podSpecConfig"],
        "job_spec_config": raw["jobSpecConfig"],
    }
    of_chart = {
        "load_incluster_config": launcher["loadInclusterConfig"],
        "image_pull_policy": launcher["imagePullPolicy"],
        "service_account_name": "dagster",
        "instance_config_map": "dagster-instance",
        "postgres_password_secret": "dagster-postgresql-secret",
        "dagster_home": "/opt/dagster/dagster_home",
        "run_k8s_config": of_runs,
    }
    _processed(resolve_to_config_type(K8sRunLauncher.config_type()), of_chart)
    of_location = {
        "image_pull_policy": code["image"]["pullPolicy"],
        "env_secrets": [one["name"] for one in code["envSecrets"]],
        "volumes": code["volumes"],
        "volume_mounts": code["volumeMounts"],
        "resources": code["resources"],
    }
    context = K8sContainerContext.create_from_config({"k8s": {"run_k8s_config": of_runs}})
    return context.merge(K8sContainerContext.create_from_config({"k8s": of_location}))


def _processed(schema: Any, config: dict[str, Any]) -> dict[str, Any]:
    checked = process_config(schema, config)
    if not checked.success:
        raise ValueError([error.message for error in checked.errors])
    processed: dict[str, Any] = checked.value
    return processed


def main() -> None:
    asked = json.load(sys.stdin)
    if "manifests" in asked:
        json.dump({"problems": [problem_of(one) for one in asked["manifests"]]}, sys.stdout)
        return
    if "steps_of" in asked:
        json.dump({"steps": steps_of(asked["steps_of"])}, sys.stdout)
        return
    values, run_config = asked["values"], asked["run_config"]
    jobs = {step: job_of_step(values, run_config, step) for step in asked["steps"]}
    json.dump({"jobs": jobs}, sys.stdout)


if __name__ == "__main__":
    main()
