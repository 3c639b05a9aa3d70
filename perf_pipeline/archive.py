"""Results as an archive: ``make export-results`` and ``make import-results ARCHIVE=FILE``.

An archive is a ``.tar.gz`` of ``results/``, logs of the runs included. Its first member,
``manifest.json``, has the size and SHA-256 of every file. An archive may come from anybody: it is
checked as a whole before any of it is put into place, and existing files are never overwritten.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import sys
import tarfile
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perf_pipeline.archive_catalogue import exported_baselines, take_in_imported
from perf_pipeline.archive_members import ArchiveError, opened
from perf_pipeline.archive_rules import FOLDER, member_problem, refuse_bomb, refused, shown_name
from perf_pipeline.catalogue.file_names import BASELINES_FILE, CATALOGUE_FILE
from perf_pipeline.config.settings import current_folder, current_settings
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.exit_code import Exit
from perf_pipeline.metrics.allocations.growth_file import FOLDER as ALLOCATIONS
from perf_pipeline.metrics.comparison_file import FOLDER as COMPARISONS
from perf_pipeline.metrics.profile_file import FOLDER as PROFILES
from perf_pipeline.metrics.types.trend import FOLDER as TRENDS
from perf_pipeline.program.program import run_program
from perf_pipeline.redaction.forms import without_known_forms
from perf_pipeline.samples.run_file import is_linked_from_elsewhere
from perf_pipeline.samples.run_list import read_runs
from perf_pipeline.samples.run_record import RUNNING
from perf_pipeline.samples.shards.shard_folders import is_of_merged_shard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from perf_pipeline.archive_members import ArchiveMembers, Member

MANIFEST = "manifest.json"
SCHEMA_VERSION = 1
MAX_BYTES = 20_000_000_000
MAX_FILES = 100_000
SHA256_DIGITS = 64
MAX_MANIFEST_BYTES = 16_000_000
_OF_RUNS = ("/run.json", "/metrics.json")
"""Files of runs that the catalogue is filled from."""
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
        ArchiveError: There is nothing to export, a run goes on, or ``archive`` exists.
        CatalogueError: The catalogue cannot be read.
    """
    running = [
        one.folder.run_id for one in read_runs(results).found if one.record["status"] == RUNNING
    ]
    if running:
        raise ArchiveError(f"run {', '.join(running)} goes on: export when it has ended")
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


def import_archive(
    archive: Path,
    results: Path,
    url: str | None = None,
    notify: Callable[[str], None] = lambda _line: None,
) -> int:
    """Unpack an archive; returns the number of files.

    It is unpacked beside ``results`` first and moved when every file has been checked. Then its
    runs and their baselines are in the catalogue; what is not is notified.

    Args:
        archive: What to unpack.
        results: Where to.
        url: PostgreSQL database of the catalogue; None for the file in ``results``.
        notify: Called with a line for each baseline, and for what did not get into the catalogue.

    Raises:
        ArchiveError: It is not an archive of ours, a member would not stay inside, is not a file,
            differs from the manifest, or exists already. Nothing was put into place.
    """
    results = results.absolute()
    with _made(results), tempfile.TemporaryDirectory(dir=results.parent, prefix=".import-") as at:
        staging = Path(at)
        names = _unpack(archive, staging)
        baselines = f"{FOLDER}/{BASELINES_FILE}"
        tops = _refuse_overwriting((name for name in names if name != baselines), results)
        for top in tops:
            (results / top).parent.mkdir(exist_ok=True)
            shutil.move(staging / FOLDER / top, results / top)
        brought = staging / baselines if baselines in names else None
        take_in_imported(results, tops, brought, url, notify)
    return len(names)


@contextmanager
def unpacked_runs(archive: Path) -> Iterator[Path]:
    """Unpack the metrics and records of status of an archive's runs, and nothing else of them.

    Yields:
        A results folder that is gone after the block.

    Raises:
        ArchiveError: As ``import_archive``.
    """
    with tempfile.TemporaryDirectory(prefix="archive-") as at:
        _unpack(archive, Path(at), lambda name: name.endswith(_OF_RUNS))
        yield Path(at) / FOLDER


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Make a folder, and remove it and its parents again if the block fails, as far as new."""
    new = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        with suppress(OSError):  # it has contents by now
            for one in new:
                one.rmdir()
        raise


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


def _unpack(
    archive: Path, staging: Path, is_wanted: Callable[[str], bool] = lambda _name: True
) -> list[str]:
    """Check every member, and write those that are wanted; returns the names of all."""
    try:
        with opened(archive) as (members, size):
            listed = _manifest(members)
            written = sum(bytes_ for name, (bytes_, _) in listed.items() if is_wanted(name))
            refuse_bomb(sum(bytes_ for bytes_, _ in listed.values()), size, staging, written)
            names: dict[str, None] = {}
            while member := members.next():
                if member.name in names:
                    raise refused(member.name, "is there twice")
                path = staging / member.name if is_wanted(member.name) else None
                _unpack_one(members, member, listed, path)
                names[member.name] = None
    except ArchiveError as error:
        text = str(error)
        raise ArchiveError(
            text
            if str(archive) in text or "; nothing was imported" in text
            else f"{archive} cannot be read as .tar.gz of results: {text}; nothing was imported"
        ) from error
    missing = sorted(set(listed) - set(names))
    if missing:
        raise ArchiveError(
            f"{archive} lacks {len(missing)} files of its manifest: {missing[0]!r}; nothing was "
            "imported"
        )
    return list(names)


def _manifest(members: ArchiveMembers) -> dict[str, tuple[int, bytes]]:
    """Read the first member: name of each file to its size and SHA-256."""
    head = members.next()
    if head is None or head.name != MANIFEST or not head.is_file:
        raise ArchiveError(f"not an archive of results: its first member must be {MANIFEST}")
    if head.size > MAX_MANIFEST_BYTES:
        raise ArchiveError(f"{MANIFEST} has {head.size:,} bytes; at most {MAX_MANIFEST_BYTES:,}")
    try:
        text = b"".join(members.content()).decode()
        # A bound on values, before they are made: a million empty lists need 60 times their text.
        if text.count("{") + text.count("[") > MAX_FILES + 2 or text.count(",") > 3 * MAX_FILES:
            raise ArchiveError(f"{MANIFEST} has more than {MAX_FILES:,} entries")
        document = json.loads(text, object_pairs_hook=_entry)
        version, files = document["schema_version"], document["files"]
        total = sum(size for size, _ in files.values())
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ArchiveError(f"{MANIFEST} is not one of ours: {str(error)[:200]!r}") from error
    if version != SCHEMA_VERSION:
        raise ArchiveError(f"{MANIFEST} has version {version!r}; this reads {SCHEMA_VERSION}")
    for what, value, maximum in (("bytes", total, MAX_BYTES), ("files", len(files), MAX_FILES)):
        if value > maximum:
            raise ArchiveError(f"the archive declares {value} {what}; the maximum is {maximum}")
    return files  # type: ignore[no-any-return]  # checked by the sum


def _entry(pairs: list[tuple[str, Any]]) -> Any:
    """Make an object of the manifest: a size and a SHA-256, or a mapping of names."""
    found = dict(pairs)
    if set(found) != {"bytes", "sha256"}:
        return found
    size, digest = found["bytes"], found["sha256"]
    if type(size) is not int or size < 0 or not isinstance(digest, str):
        raise ValueError(f"{str(found)[:100]} is not a size and a SHA-256")
    # A digest that is none fits no file.
    return size, bytes.fromhex(digest) if len(digest) == SHA256_DIGITS else b""


def _unpack_one(
    members: ArchiveMembers, member: Member, listed: dict[str, tuple[int, bytes]], path: Path | None
) -> None:
    name = member.name
    if name == MANIFEST:
        raise refused(name, f"is a second {MANIFEST}")
    if problem := member_problem(name):
        raise refused(name, problem)
    if not member.is_file:
        raise refused(name, "is a link, a device or something else that is not a file")
    if name not in listed or member.size != listed[name][0]:
        raise refused(name, f"is not in {MANIFEST}, or has another size there")
    digest = hashlib.sha256()
    try:
        with ExitStack() as at_end:
            file = None
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                file = at_end.enter_context(path.open("xb"))
            for piece in members.content():
                digest.update(piece)
                if file is not None:
                    file.write(piece)
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise refused(name, "is there twice, or is both a file and a folder") from error
    if digest.digest() != listed[name][1]:
        raise refused(name, f"has another SHA-256 than in {MANIFEST}")


def _refuse_overwriting(names: Iterable[str], results: Path) -> list[str]:
    """Return what will be put into the results folder: runs, single files and comparisons.

    Raises:
        ArchiveError: One is there already: nothing is added to a run, or written below a link.
    """
    tops = {_put_as_one(name): name for name in names}
    for top, name in tops.items():
        taken = results / top
        if taken.exists() or taken.is_symlink():
            raise refused(name, f"is there already as {taken}")
        if taken.parent.is_symlink() or (taken.parent.exists() and not taken.parent.is_dir()):
            raise refused(name, f"cannot be put into {taken.parent}, which is no folder")
    return list(tops)


def _put_as_one(name: str) -> str:
    """Return what a member is put into place with: its run; a comparison is added to others."""
    _, *parts = name.split("/")
    return "/".join(parts[: 2 if parts[0] in {ALLOCATIONS, COMPARISONS, PROFILES} else 1])


def _new_archive(results: Path) -> Path:
    """Return where an archive goes without a name: here, beside the results, or HOME.

    It goes to the first of them that is the caller's own: not into somebody else's checkout.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%d_%H%M%S")
    places = (current_folder(), results.absolute().parent, Path.home())
    for place in places:
        try:
            is_own = place.stat().st_uid == os.geteuid() and os.access(place, os.W_OK | os.X_OK)
        except OSError:
            continue
        if is_own:
            return place / f"performance_results_{stamp}.tar.gz"
    raise ArchiveError(
        f"no archive was written: none of {', '.join(map(str, places))} is a folder of yours that "
        "can be written to; name the file: make export-results ARCHIVE=FILE"
    )


def main(arguments: Iterable[str]) -> int:
    """Run ``export RESULTS [ARCHIVE]`` or ``import ARCHIVE RESULTS``; 0 or 2."""
    try:
        match list(arguments):
            case ["export", results, *given] if len(given) <= 1:
                archive = Path(given[0]).absolute() if given else _new_archive(Path(results))
                url = current_settings().catalogue_url
                done = f"{export_archive(Path(results), archive, url)} files in {archive}"
                if names := left_out(Path(results)):
                    done += f"; {len(names)} left out, such as {shown_name(names[0])}"
            case ["import", archive, results] if archive:
                url = current_settings().catalogue_url
                count = import_archive(Path(archive), Path(results), url, print)
                done = f"{count} files imported into {results}"
            case _:
                print("name the archive: make import-results ARCHIVE=FILE", file=sys.stderr)  # noqa: T201
                return Exit.BAD_INPUT
    except (PerfPipelineError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return Exit.BAD_INPUT
    print(done)  # noqa: T201
    return 0


if __name__ == "__main__":
    run_program(main)
