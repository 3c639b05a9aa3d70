"""Dagster of the Compose stack, driven as its UI does: by GraphQL on the webserver."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.request
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError

from perf_pipeline.config.settings import current_settings
from perf_pipeline.servers.stack.images import build_images, read_services

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
IMAGE = "perf-pipeline:dev"
ENDED = ("SUCCESS", "FAILURE", "CANCELED")
_CERTIFICATES = Path("/usr/local/share/ca-certificates")
"""Of a proxy of this machine, which packages come through."""

_LAUNCH = """mutation($launched: ExecutionParams!) { launchRun(executionParams: $launched) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
_TERMINATE = "mutation($run: String!) { terminateRun(runId: $run) { __typename } }"
_RUN = """query($run: ID!) { runOrError(runId: $run) { ... on Run {
  status tags { key value } } } }"""
_HISTORY = """query($run: ID!) {
  runsOrError { ... on Runs { results { runId status tags { key value } } } }
  assetsOrError { ... on AssetConnection { nodes { key { path }
    assetMaterializations { runId timestamp metadataEntries { label } } } } }
  logsForRun(runId: $run) { ... on EventConnection { events {
    __typename ... on MessageEvent { message timestamp } } } } }"""
_EVENTS = """query($run: ID!) { logsForRun(runId: $run) { ... on EventConnection { events {
  __typename ... on MessageEvent { message }
  ... on ExecutionStepFailureEvent { error { message } }
  ... on MaterializationEvent { assetKey { path }
    metadataEntries { label ... on UrlMetadataEntry { text: url }
      ... on TextMetadataEntry { text } ... on PathMetadataEntry { text: path } } } } } } }"""


@dataclass(frozen=True)
class Deployment:
    """A deployment whose services run.

    Attributes:
        name: Project name of Compose.
        environ: With which Docker and Compose work on it.
        port: Of the webserver.
    """

    name: str
    environ: dict[str, str]
    port: int

    def compose(self, *words: str) -> str:
        """Run Docker Compose on the stack of Debian's packages."""
        files = [ROOT / "infra/compose.yaml", ROOT / "infra/compose.debian.yaml"]
        options = [part for file in files for part in ("--file", str(file))]
        compose = ["docker", "compose"]
        if subprocess.run([*compose, "version"], capture_output=True, check=False).returncode:
            compose = ["docker-compose"]
        return self._run(*compose, "--project-name", self.name, *options, *words)

    def docker(self, *words: str) -> str:
        """Run Docker."""
        return self._run("docker", *words)

    def _run(self, *command: str) -> str:
        done = subprocess.run(
            command, env=self.environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (command, done.stdout[-2000:], done.stderr[-2000:])
        return done.stdout

    def container_of(self, run: str) -> dict[str, Any]:
        """Return what Docker knows of the container of a run."""
        (container,) = json.loads(self.docker("inspect", self.tags(run)["docker/container_id"]))
        found: dict[str, Any] = container
        return found

    def containers(self, *filters: str) -> list[dict[str, Any]]:
        """Return what Docker knows of the containers that runs have or had."""
        chosen = (f"label=perf_pipeline.stack={self.name}", *filters)
        options = [part for one in chosen for part in ("--filter", one)]
        ids = self.docker("ps", "--all", "--quiet", *options).split()
        # Without a check: one that is removed just now is not found.
        asked = ["docker", "inspect", *ids]
        done = subprocess.run(asked, env=self.environ, capture_output=True, text=True, check=False)
        found: list[dict[str, Any]] = json.loads(done.stdout) if ids else []
        return found

    def listed(self, folder: str) -> list[str]:
        """Return the names in a folder of the volume of results."""
        return self.docker("exec", f"{self.name}_dagster_code", "ls", folder).split()

    def fetch(self, url: str) -> str:
        """Return what an address answers to a container of the stack."""
        ask = f"import urllib.request as u; print(u.urlopen({url!r}, timeout=30).read().decode())"
        return self.docker("exec", f"{self.name}_dagster_code", "python", "-I", "-c", ask)

    def metadata(self, run: str, asset: str, label: str) -> str:
        """Return a text that a run recorded with an asset."""
        (made,) = [
            event
            for event in self.events(run, "MaterializationEvent")
            if event["assetKey"]["path"] == [asset]
        ]
        (text,) = [one["text"] for one in made["metadataEntries"] if one["label"] == label]
        return str(text)

    def folder(self, run: str) -> str:
        """Return the folder of a load run, in the containers."""
        return self.metadata(run, "load_run", "folder")

    def read(self, path: str) -> str:
        """Return a file in the volume of results."""
        return self.docker("exec", f"{self.name}_dagster_code", "cat", path)

    def launch(self, job: str, config: dict[str, Any]) -> str:
        """Launch a run; returns its id."""
        selector = {
            "repositoryLocationName": "perf_pipeline",
            "repositoryName": "__repository__",
            "jobName": job,
        }
        launched = {"selector": selector, "runConfigData": config}
        answer = self._ask(_LAUNCH, launched=launched)["launchRun"]
        assert answer["__typename"] == "LaunchRunSuccess", answer
        run: str = answer["run"]["runId"]
        return run

    def launch_load(self, **fields: Any) -> str:
        """Launch the baseline with these fields of the launchpad."""
        config = {"scenario": "baseline", "target": "control", "concurrency": [1], **fields}
        return self.launch("baseline", {"resources": {"load_run_resource": {"config": config}}})

    def terminate(self, run: str) -> None:
        """Terminate a run; the webserver answers when its container has ended."""
        answer = self._ask(_TERMINATE, run=run)["terminateRun"]
        assert answer["__typename"] == "TerminateRunSuccess", answer

    def status(self, run: str) -> str:
        """Return the status of a run."""
        status: str = self._ask(_RUN, run=run)["runOrError"]["status"]
        return status

    def tags(self, run: str) -> dict[str, str]:
        """Return the tags of a run."""
        tags = self._ask(_RUN, run=run)["runOrError"]["tags"]
        return {tag["key"]: tag["value"] for tag in tags}

    def history(self, run: str) -> dict[str, Any]:
        """Return all that Dagster knows of runs and assets, and the events of one run."""
        return self._ask(_HISTORY, run=run)

    def events(self, run: str, kind: str) -> list[dict[str, Any]]:
        """Return the events of a run that have a type."""
        found = self._ask(_EVENTS, run=run)["logsForRun"]["events"]
        return [event for event in found if event["__typename"] == kind]

    def ended(self, run: str, within_s: float = 240.0) -> str:
        """Wait for the end of a run; returns its status."""
        self.until(lambda: self.status(run) in ENDED, within_s, f"run {run} ends")
        return self.status(run)

    def until(self, is_so: Any, within_s: float, what: str) -> None:
        """Wait until something is so; a webserver that is too busy to answer is asked again."""
        end_s = time.monotonic() + within_s
        while True:
            with suppress(HTTPError):
                if is_so():
                    return
            assert time.monotonic() < end_s, f"not within {within_s:g} s: {what}"
            time.sleep(0.5)

    def _ask(self, query: str, **variables: Any) -> dict[str, Any]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql",
            json.dumps({"query": query, "variables": variables}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310 - http
            told: dict[str, Any] = json.load(answer)
        assert "errors" not in told, told
        data: dict[str, Any] = told["data"]
        return data


@contextmanager
def certificates_given() -> Iterator[None]:
    """Give builds the certificates of this machine: without them its packages do not come."""
    given = ROOT / "infra/dagster/certificates"
    copied = [Path(shutil.copy(file, given)) for file in _CERTIFICATES.glob("*.crt")]
    try:
        yield
    finally:
        for one in copied:
            one.unlink()


def build_image() -> None:
    """Build the project's image as ``make images`` does, on the base of these tests."""
    files = (ROOT / "infra/compose.yaml", ROOT / "infra/compose.debian.yaml")
    settings = current_settings()
    settings = replace(settings, stack=replace(settings.stack, files=files))
    with certificates_given():
        services = read_services(settings, ["dagster"])
        assert build_images(settings, ["dagster"], services, print) == [IMAGE]
