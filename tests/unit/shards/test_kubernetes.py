"""What the manifests of infra/kubernetes say; tests/docker shows that Kubernetes' API knows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from perf_pipeline.shards.shard_order import order_file

FOLDER = Path(__file__).parents[3] / "infra/kubernetes"


def read(name: str) -> dict[str, Any]:
    """Return a file of infra/kubernetes."""
    document: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return document


def test_each_pod_of_the_job_plays_one_shard_of_the_order_on_the_claim_that_all_share() -> None:
    spec = read("shards.yaml")["spec"]
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    order = order_file(Path("/results/RUN_ID"))
    assert container["command"] == ["perf-pipeline", "shard", str(order)]
    claim = read("results.yaml")
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    volumes = {one["name"]: one for one in pod["volumes"]}
    mounts = {one["mountPath"]: one["name"] for one in container["volumeMounts"]}
    shared = volumes[mounts["/results"]]["persistentVolumeClaim"]["claimName"]
    assert shared == claim["metadata"]["name"]


def test_all_shards_are_there_at_once_and_each_knows_its_index() -> None:
    spec = read("shards.yaml")["spec"]
    assert spec["completionMode"] == "Indexed"
    assert spec["parallelism"] == spec["completions"]


def test_a_shard_is_never_played_again_and_does_not_end_the_others() -> None:
    """With backoffLimit, the first failed pod ends the Job, and with it all others."""
    spec = read("shards.yaml")["spec"]
    assert spec["backoffLimitPerIndex"] == 0
    assert "backoffLimit" not in spec
    assert spec["template"]["spec"]["restartPolicy"] == "Never"


def test_two_shards_are_never_on_one_node() -> None:
    template = read("shards.yaml")["spec"]["template"]
    (apart,) = template["spec"]["affinity"]["podAntiAffinity"].values()
    assert apart[0]["topologyKey"] == "kubernetes.io/hostname"
    assert apart[0]["labelSelector"]["matchLabels"] == template["metadata"]["labels"]


def test_addresses_come_from_secrets() -> None:
    """A URL of a server has a password in it."""
    (container,) = read("shards.yaml")["spec"]["template"]["spec"]["containers"]
    (meeting,) = (one for one in container["env"] if one["name"] == "PERF_PIPELINE_SHARDS_URL")
    assert meeting["valueFrom"].keys() == {"secretKeyRef"}
    assert [one.keys() - {"secretRef"} for one in container["envFrom"]] == [set()]


@pytest.mark.parametrize("name", ["console.yaml", "shards.yaml"])
def test_a_pod_has_cores_of_its_own_and_no_rights(name: str) -> None:
    document = read(name)
    pod = document["spec"]["template"]["spec"] if document["kind"] == "Job" else document["spec"]
    (container,) = pod["containers"]
    assert container["resources"]["requests"] == container["resources"]["limits"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
