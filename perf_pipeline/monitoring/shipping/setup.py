"""Sets a store up for our logs: index template, lifecycle, and Kibana's saved objects.

The files are in ``infra/elasticsearch`` and ``infra/kibana``. What differs between the products:
Elasticsearch has index lifecycle management (ILM), which the template names; OpenSearch has ISM, a
plugin whose policy names the indices itself. An OpenSearch without that plugin deletes nothing.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from perf_pipeline.monitoring.shipping.store import StoreError

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.monitoring.shipping.store import Store

NAME = "perf_pipeline-logs"
BOUNDARY = "perf-pipeline-saved-objects"
_OK = 300
_CONFLICT = 409


def set_up_store(store: Store, infra: Path) -> list[str]:
    """Create or replace the index template and the lifecycle policy.

    Args:
        store: Elasticsearch or OpenSearch.
        infra: Folder with the files.

    Returns:
        A sentence for each thing that was set up, or could not be.

    Raises:
        StoreError: The store refuses the template, or a file is missing.
        StoreBusyError: It cannot be reached.
    """
    version = store.request("GET", "/")
    if version.status >= _OK:
        raise store.refusal("GET /", version)
    is_opensearch = version.body["version"].get("distribution") == "opensearch"
    template = _read(infra / "elasticsearch" / "index_template.json")
    done = []
    if is_opensearch:
        del template["template"]["settings"]["index.lifecycle.name"]
        done.append(_set_up_ism(store, _read(infra / "elasticsearch" / "ism_policy.json")))
    else:
        store.put(f"/_ilm/policy/{NAME}", _read(infra / "elasticsearch" / "ilm_policy.json"))
        done.append("lifecycle: index lifecycle management deletes logs after 30 days")
    store.put(f"/_index_template/{NAME}", template)
    product = "OpenSearch" if is_opensearch else "Elasticsearch"
    number = version.body["version"]["number"]
    return [f"{product} {number} has the index template {NAME}", *done]


def _set_up_ism(store: Store, policy: dict[str, Any]) -> str:
    answer = store.request("PUT", f"/_plugins/_ism/policies/{NAME}", json.dumps(policy).encode())
    if answer.status < _OK or answer.status == _CONFLICT:  # 409: it is there already
        return "lifecycle: index state management deletes logs after 30 days"
    return (
        "lifecycle: none, this OpenSearch has no index state management plugin "
        f"({answer.status}): delete old logs yourself"
    )


def set_up_kibana(kibana: Store, infra: Path) -> str:
    """Import the data view, the saved searches and the dashboard, over those of the same id.

    Returns:
        A sentence on what was imported.

    Raises:
        StoreError: Kibana refuses them.
        StoreBusyError: It cannot be reached.
    """
    objects = (infra / "kibana" / "loadtest.ndjson").read_bytes()
    body = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; '
        'filename="loadtest.ndjson"\r\nContent-Type: application/ndjson\r\n\r\n'
    ).encode()
    answer = kibana.request(
        "POST",
        "/api/saved_objects/_import?overwrite=true",
        body + objects + f"\r\n--{BOUNDARY}--\r\n".encode(),
        content_type=f"multipart/form-data; boundary={BOUNDARY}",
        headers={"kbn-xsrf": "perf_pipeline", "osd-xsrf": "perf_pipeline"},
    )
    if answer.status >= _OK or not answer.body.get("success"):
        raise kibana.refusal("the saved objects", answer)
    return f"Kibana has {answer.body['successCount']} saved objects of ours"


def _read(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise StoreError(
            f"{path} is missing: setting up a store needs a checkout of the project"
        ) from error
    return content
