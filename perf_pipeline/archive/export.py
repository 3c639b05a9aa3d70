"""Packs results into an archive."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.archive.catalogue import exported_baselines
from perf_pipeline.archive.members import ArchiveError
from perf_pipeline.archive.rules import (
    FOLDER,
    MANIFEST,
    MAX_BYTES,
    MAX_FILES,
    SCHEMA_VERSION,
    member_problem,
    refuse_what_may_grow,
)
from perf_pipeline.catalogue.file_names import BASELINES_FILE, CATALOGUE_FILE
from perf_pipeline.metrics.types.trend import FOLDER as TRENDS
from perf_pipeline.redaction.forms import without_known_forms
from perf_pipeline.samples.run_file import is_linked_from_elsewhere
from perf_pipeline.samples.shards.shard_folders import is_of_merged_shard

if TYPE_CHECKING:
    from collections.abc import Iterator

_JOB = re.compile(r"worker-\d+\.json")
"""The job of a worker process. Earlier versions wrote passwords of servers into it."""


def export_archive(results: Path, archive: Path, url: str | None = None) -> int:
    """Pack results with their baselines; returns the number of files.

    Args:
        results: Folder of the runs; temporary files of it (``.name``) are left out, and so
            is what may have a password: the jobs of workers in runs of earlier versions.
        archive: What to write; must not exist yet.
        url: PostgreSQL database of the catalogue; None for the file in ``results``.

    Raises:
        ArchiveError: There is nothing to export, some of it may still grow, or ``archive`` exists.
        CatalogueError: The catalogue cannot be read.
    """
    refuse_what_may_grow(results)
    files = dict(_in(results))
    if files and (baselines := exported_baselines(results, url)):
        with tempfile.NamedTemporaryFile() as file:
            file.write(baselines)
            file.flush()
            return _pack({**files, f"{FOLDER}/{BASELINES_FILE}": Path(file.name)}, results, archive)
    return _pack(files, results, archive)


def _pack(files: dict[str, Path], results: Path, archive: Path) -> int:
    if not files:
        raise ArchiveError(f"nothing to export: no file in {results.absolute()}; run a test first")
    facts = {name: {"bytes": f.stat().st_size, "sha256": _digest(f)} for name, f in files.items()}
    total = sum(file.stat().st_size for file in files.values())
    for what, value, maximum in (("bytes", total, MAX_BYTES), ("files", len(files), MAX_FILES)):
        if value > maximum:
            raise ArchiveError(
                f"{results} has {value:,} {what}, and an archive holds at most {maximum:,}: move "
                "some runs elsewhere, or drop old journals with `perf-pipeline prune`"
            )
    manifest = json.dumps({"schema_version": SCHEMA_VERSION, "files": facts}).encode()
    try:
        stream = archive.open("xb")
    except FileExistsError as error:
        raise ArchiveError(f"{archive} exists and is not overwritten") from error
    with stream, tarfile.open(fileobj=stream, mode="w:gz") as tar:
        head = tarfile.TarInfo(MANIFEST)
        head.size = len(manifest)
        tar.addfile(head, io.BytesIO(manifest))
        for name, file in files.items():
            tar.add(file, name, recursive=False)
    return len(files)


def _in(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield the name in the archive and the path of each file that can be imported again.

    Pages of histories are left out: `perf-pipeline history` makes them of the runs. So are shards
    that were merged: the run has all of their records.
    """
    for path in sorted(root.rglob("*")):
        name = f"{FOLDER}/{path.relative_to(root).as_posix()}"
        if not path.is_file() or path.is_symlink() or is_linked_from_elsewhere(path):
            continue
        if is_of_merged_shard(path, root):
            continue
        if _has_login(path) or path.name.startswith(CATALOGUE_FILE) or path.parent == root / TRENDS:
            continue
        if not member_problem(name):
            yield name, path


def _has_login(path: Path) -> bool:
    """Return whether a file is the job of a worker with the password of a server."""
    if not _JOB.fullmatch(path.name):
        return False
    text = path.read_text(encoding="utf-8", errors="replace")
    return without_known_forms(text) != text


def left_out(results: Path) -> list[str]:
    """Return the names of files that an archive of the results does not hold."""
    packed = {path for _, path in _in(results)}
    files = (path for path in sorted(results.rglob("*")) if not path.is_dir())
    return [
        str(path.relative_to(results))
        for path in files
        if path not in packed
        and not is_of_merged_shard(path, results)
        and not path.relative_to(results).parts[0].startswith(".")  # of no run
        and not path.name.startswith(".")
        and not path.name.startswith(CATALOGUE_FILE)
        and path.parent != results / TRENDS
    ]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
