"""Results as an archive: ``make export-results`` and ``make import-results ARCHIVE=FILE``.

An archive is a ``.tar.gz`` of ``results/``, logs of the runs included. Its first member,
``manifest.json``, has the size and SHA-256 of every file. An archive may come from anybody: it is
checked as a whole before any of it is put into place, and existing files are never overwritten.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import sys
import tarfile
import tempfile
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.samples.run_folder import RUNNING, read_runs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MANIFEST = "manifest.json"
SCHEMA_VERSION = 1
MAX_BYTES = 20_000_000_000
MAX_FILES = 100_000
MAX_MANIFEST_BYTES = 50_000_000
_FOLDER = "results"
_CHUNK = 1 << 20


class ArchiveError(PerfPipelineError):
    """An archive cannot be made, or must not be unpacked; the text names the member."""


def export_archive(results: Path, archive: Path) -> int:
    """Pack results; returns the number of files.

    Args:
        results: Folder of the runs; temporary files of it (``.name``) are left out.
        archive: What to write; must not exist yet.

    Raises:
        ArchiveError: There is nothing to export, a run goes on, or ``archive`` exists.
    """
    running = [run["run_id"] for run in read_runs(results)[0] if run["status"] == RUNNING]
    if running:
        raise ArchiveError(f"run {', '.join(running)} goes on: export when it has ended")
    files = {f"{_FOLDER}/{inner}": file for inner, file in _in(results)}
    if not files:
        raise ArchiveError(f"nothing to export: no file in {results.absolute()}; run a test first")
    facts = {name: {"bytes": f.stat().st_size, "sha256": _digest(f)} for name, f in files.items()}
    manifest = json.dumps({"schema_version": SCHEMA_VERSION, "files": facts}, indent=1).encode()
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


def import_archive(archive: Path, results: Path) -> int:
    """Unpack an archive; returns the number of files.

    It is unpacked beside ``results`` first and moved when every file has been checked.

    Raises:
        ArchiveError: It is not an archive of ours, a member would not stay inside, is not a file,
            differs from the manifest, or exists already. Nothing was put into place.
    """
    results.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=results.absolute().parent, prefix=".import-") as folder:
        staging = Path(folder)
        names = _unpack(archive, staging)
        places = {name: results / name.partition("/")[2] for name in names}
        _refuse_overwriting(places, results)
        for name, place in places.items():
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(staging / name, place)
    return len(names)


def _in(root: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(root.rglob("*")):
        inner = path.relative_to(root)
        if path.is_file() and not path.is_symlink() and not inner.name.startswith("."):
            yield inner.as_posix(), path


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unpack(archive: Path, staging: Path) -> list[str]:
    try:
        with tarfile.open(archive, "r:gz") as tar:
            members = iter(tar)
            listed = _manifest(tar, next(members, None))
            names = [_unpack_one(tar, member, listed, staging) for member in members]
    except (OSError, EOFError, tarfile.TarError) as error:
        raise ArchiveError(f"{archive} cannot be read as .tar.gz: {error}") from error
    missing = sorted(set(listed) - set(names))
    if missing:
        raise ArchiveError(f"{archive} lacks {len(missing)} files of its manifest: {missing[0]}")
    return names


def _manifest(tar: tarfile.TarFile, head: tarfile.TarInfo | None) -> dict[str, Any]:
    if head is None or head.name != MANIFEST or not head.isreg():
        raise ArchiveError(f"not an archive of results: its first member must be {MANIFEST}")
    if head.size > MAX_MANIFEST_BYTES:
        raise ArchiveError(f"{MANIFEST} has {head.size} bytes; at most {MAX_MANIFEST_BYTES}")
    source = tar.extractfile(head)
    assert source is not None  # it is a regular file
    try:
        document = json.load(source)
        version, files = document["schema_version"], dict(document["files"])
        total = sum(_size(facts) for facts in files.values())
    except (ValueError, TypeError, KeyError) as error:
        raise ArchiveError(f"{MANIFEST} is not one of ours: {error!r}") from error
    if version != SCHEMA_VERSION:
        raise ArchiveError(f"{MANIFEST} has version {version!r}; this reads {SCHEMA_VERSION}")
    for what, value, maximum in (("bytes", total, MAX_BYTES), ("files", len(files), MAX_FILES)):
        if value > maximum:
            raise ArchiveError(f"the archive declares {value} {what}; the maximum is {maximum}")
    return files


def _size(facts: Any) -> int:
    size, digest = facts["bytes"], facts["sha256"]
    if type(size) is not int or size < 0 or not isinstance(digest, str):
        raise ValueError(f"{facts!r} is not a size and a SHA-256")
    return size


def _unpack_one(
    tar: tarfile.TarFile, member: tarfile.TarInfo, listed: dict[str, Any], staging: Path
) -> str:
    name = member.name
    if member.name == MANIFEST:
        raise _refused(name, f"is a second {MANIFEST}")
    pure = PurePosixPath(name)
    if name.startswith("/") or ".." in pure.parts or "\\" in name or "\0" in name:
        raise _refused(name, "would lie outside of the results")
    if pure.as_posix() != name or pure.parts[0] != _FOLDER or len(pure.parts) == 1:
        raise _refused(name, f"does not lie in {_FOLDER}/")
    if not member.isreg():
        raise _refused(name, "is a link, a device or something else that is not a file")
    if name not in listed or member.size != listed[name]["bytes"]:
        raise _refused(name, f"is not in {MANIFEST}, or has another size there")
    path = staging / name
    path.parent.mkdir(parents=True, exist_ok=True)
    source = tar.extractfile(member)
    assert source is not None  # it is a regular file
    try:
        with path.open("xb") as file:
            shutil.copyfileobj(source, file, _CHUNK)
    except (FileExistsError, IsADirectoryError) as error:
        raise _refused(name, "is there twice") from error
    if _digest(path) != listed[name]["sha256"]:
        raise _refused(name, f"has another SHA-256 than in {MANIFEST}")
    return name


def _refused(name: str, why: str) -> ArchiveError:
    return ArchiveError(f"member {name!r} of the archive {why}; nothing was imported")


def _refuse_overwriting(places: dict[str, Path], results: Path) -> None:
    for name, place in places.items():
        # Nothing is added to a run that exists, or written below a link.
        taken = results / place.relative_to(results).parts[0]
        if taken.exists() or taken.is_symlink() or not _stays(place, results):
            raise _refused(name, f"is there already as {taken}")


def _stays(place: Path, root: Path) -> bool:
    return place.resolve().is_relative_to(root.resolve())


def main(arguments: Iterable[str]) -> int:
    """Run ``export RESULTS`` or ``import ARCHIVE RESULTS``; 0, 1 or 2."""
    try:
        match list(arguments):
            case ["export", results]:
                stamp = datetime.now(UTC).strftime("%Y%m%d_%H%M%S")
                archive = Path(f"performance_results_{stamp}.tar.gz")
                done = f"{export_archive(Path(results), archive)} files in {archive}"
            case ["import", archive, results] if archive:
                count = import_archive(Path(archive), Path(results))
                done = f"{count} files imported into {results}"
            case _:
                print("name the archive: make import-results ARCHIVE=FILE", file=sys.stderr)  # noqa: T201
                return 2
    except PerfPipelineError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    print(done)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
