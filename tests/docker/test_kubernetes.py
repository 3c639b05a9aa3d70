"""What Kubernetes is given, checked without a cluster by the code that makes Dagster's own Jobs."""

from __future__ import annotations

import copy
import json
import re
import subprocess
from pathlib import Path
from typing import Any

from tests.unit.shards.test_kubernetes import read

CHECK = Path(__file__).parent / "kubernetes/checked_objects.py"
POD = ("spec", "template", "spec")
CONTAINER = (*POD, "containers", 0)
WRONG = [
    (("spec", "completionMod"), "Indexed", "Unexpected keys.*completionMod"),
    (("spec", "parallelism"), "two", "invalid literal"),
    (("spec", "parallelism"), "2", "is read as"),
    (("spec", "template"), None, "template"),
    ((*POD, "containers"), None, "not iterable"),
    ((*POD, "volumes", 0, "name"), None, "name"),
    ((*POD, "securityContext", "runAsNonRoot"), "yes", "is read as"),
    ((*CONTAINER, "image"), ["a", "b"], "is read as"),
    ((*CONTAINER, "resource"), {}, "Unexpected keys.*resource"),
    ((*CONTAINER, "env", 0, "value"), 1, "is read as"),
]


def ask(project_image: str, asked: dict[str, Any]) -> dict[str, Any]:
    """Ask the image's Python, without a network."""
    command = ["docker", "run", "--rm", "--interactive", "--network", "none"]
    command += ["--volume", f"{CHECK}:/check.py:ro", project_image, "python", "-I", "/check.py"]
    done = subprocess.run(
        command, input=json.dumps(asked), stdout=subprocess.PIPE, text=True, check=True
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def replaced(
    document: dict[str, Any], path: tuple[str | int, ...], value: object
) -> dict[str, Any]:
    """Return a document with another value at a path."""
    changed = copy.deepcopy(document)
    *parents, last = path
    where: Any = changed
    for name in parents:
        where = where[name]
    where[last] = value
    return changed


def test_manifests_have_what_the_api_of_kubernetes_knows_and_wrong_ones_are_refused(
    project_image: str,
) -> None:
    ours = [read(name) for name in ("results.yaml", "console.yaml", "shards.yaml")]
    wrong = [replaced(ours[2], path, value) for path, value, _ in WRONG]

    problems = ask(project_image, {"manifests": [*ours, *wrong]})["problems"]

    assert problems[: len(ours)] == [None] * len(ours)
    for (path, _, why), problem in zip(WRONG, problems[len(ours) :], strict=True):
        assert problem is not None, f"{path}: not refused"
        assert re.search(why, problem), (path, problem)


def test_dagsters_executor_makes_of_our_values_a_job_for_a_shard_with_a_node_of_its_own(
    project_image: str,
) -> None:
    """The other steps are small, and none runs as root."""
    values, run_config = read("dagster_values.yaml"), read("sharded_load.yaml")
    (step,) = run_config["execution"]["config"]["per_step_k8s_config"]
    asked = {"values": values, "run_config": run_config, "steps": [step, "merge_shards"]}

    jobs = ask(project_image, asked)["jobs"]

    assert set(asked["steps"]) <= set(ask(project_image, {"steps_of": "sharded_load_k8s"})["steps"])
    shard, merge = (jobs[name]["spec"] for name in asked["steps"])
    pod = shard["template"]["spec"]
    (container,) = pod["containers"]
    own = {"cpu": "2", "memory": "4Gi"}
    assert container["resources"] == {"requests": own, "limits": own}
    apart = pod["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    labels = shard["template"]["metadata"]["labels"]
    assert apart[0]["labelSelector"]["matchLabels"].items() <= labels.items(), "it avoids no shard"
    assert [mount["mountPath"] for mount in container["volumeMounts"]] == ["/results"]
    claim = read("results.yaml")["metadata"]["name"]
    assert pod["volumes"][0]["persistentVolumeClaim"] == {"claimName": claim}
    assert container["envFrom"] == [{"secretRef": {"name": "perf-pipeline-urls"}}]
    assert merge["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"] == "1"
    assert "affinity" not in merge["template"]["spec"]
    for job in (shard, merge):
        assert job["backoffLimit"] == 0
        assert job["template"]["spec"]["restartPolicy"] == "Never"
        assert job["template"]["spec"]["securityContext"]["runAsNonRoot"] is True
        rights = job["template"]["spec"]["containers"][0]["securityContext"]
        assert rights == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
