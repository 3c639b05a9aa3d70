"""Unpacks an archive: checked as a whole before any of it is put into place."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perf_pipeline.archive.catalogue import take_in_imported
from perf_pipeline.archive.members import ArchiveError, opened
from perf_pipeline.archive.rules import (
    FOLDER,
    MANIFEST,
    MAX_BYTES,
    MAX_FILES,
    SCHEMA_VERSION,
    member_problem,
    refuse_bomb,
    refused,
)
from perf_pipeline.catalogue.file_names import BASELINES_FILE
from perf_pipeline.metrics.allocations.growth_file import FOLDER as ALLOCATIONS
from perf_pipeline.metrics.comparison_file import FOLDER as COMPARISONS
from perf_pipeline.metrics.profile_file import FOLDER as PROFILES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from perf_pipeline.archive.members import ArchiveMembers, Member

SHA256_DIGITS = 64
MAX_MANIFEST_BYTES = 16_000_000
_OF_RUNS = ("/run.json", "/metrics.json")
"""Files of runs that the catalogue is filled from."""


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
