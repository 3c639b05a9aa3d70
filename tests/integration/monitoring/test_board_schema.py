"""The boards have the types that Grafana publishes; TypeScript's compiler checks them."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.monitoring.boards.write_boards import texts

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.integration, pytest.mark.slow]

PACKAGES = ("@grafana/schema@13.2.3", "typescript@7.0.2")
INSTALL = ("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *PACKAGES)
CHECK = ("npx", "--no-install", "tsc", "--strict", "--noEmit", "--skipLibCheck")
AS_NODE = ("--module", "nodenext", "--moduleResolution", "nodenext", "--target", "es2022")
HEAD = """
import { ThresholdsMode } from '@grafana/schema';
import type { AnnotationQuery, Dashboard, DataQuery } from '@grafana/schema';
type Asked = DataQuery & { expr: string; interval: string };
type Annotation = AnnotationQuery<Asked> & { titleFormat: string };
"""
"""Of an annotation the schema knows what all data sources have; the rest is Prometheus' own."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the schema and the compiler (33 MB)."""
    made = tmp_path_factory.mktemp("schema")
    if shutil.which("npm") is None:
        pytest.skip("no npm here")
    done = subprocess.run(INSTALL, cwd=made, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no Grafana schema from npm: {done.stderr.strip().splitlines()[-1:]}")
    return made


def complaints(folder: Path, boards: dict[str, dict[str, Any]]) -> str:
    """Return what the compiler says of boards."""
    for name, board in boards.items():
        annotations = json.dumps(board["annotations"]["list"])
        rest = json.dumps({**board, "annotations": "LIST"}, indent=1)
        rest = rest.replace('"mode": "absolute"', '"mode": ThresholdsMode.Absolute')
        text = (
            f"{HEAD}const list = {annotations} as Annotation[];\nexport const board: Dashboard = "
        )
        (folder / f"{name}.ts").write_text(text + rest.replace('"LIST"', "{ list }") + ";\n")
    files = [f"{name}.ts" for name in boards]
    command = [*CHECK, *AS_NODE, *files]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_boards_have_the_types_of_grafanas_schema(folder: Path) -> None:
    """And a board with a version in words and a panel without a type has not."""
    boards = {name.partition(".")[0]: json.loads(text) for name, text in texts().items()}
    assert complaints(folder, boards) == ""
    wrong = {**boards["run"], "schemaVersion": "41"}
    wrong["panels"] = [{**wrong["panels"][0], "typ": "stat"}]
    said = complaints(folder, {"wrong": wrong})
    assert "Type 'string' is not assignable to type 'number'" in said
    assert "'\"typ\"' does not exist in type" in said
