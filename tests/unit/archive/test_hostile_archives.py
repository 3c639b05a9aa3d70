"""Archives whose headers lie are refused in a sentence, within 3 s of CPU time and 100 MB."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.archive.export import export_archive, left_out
from perf_pipeline.archive.members import ArchiveError
from perf_pipeline.archive.unpack import import_archive
from perf_pipeline.samples.run_folder import RunFolder
from perf_pipeline.samples.run_list import find_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MAX_CPU_S = 3.0  # the largest that is allowed takes a third of it on an idle core
MAX_MEMORY_MB = 100
NAME = "results/r-1/run.json"
IMPORT = """
import json, re, sys, time
from pathlib import Path
from perf_pipeline.archive.members import ArchiveError
from perf_pipeline.archive.unpack import import_archive
found = {}
for name in sys.argv[2:]:
    began_cpu_s = time.process_time()
    try:
        import_archive(Path(name), Path(sys.argv[1]) / "results")
        text = "IMPORTED"
    except ArchiveError as error:
        text = str(error)
    peak_mb = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1e3
    found[Path(name).name] = [text, time.process_time() - began_cpu_s, peak_mb]
print(json.dumps(found))
"""


def header(name: str, size: int, kind: bytes = b"0", size_field: bytes | None = None) -> bytes:
    """Return a tar header whose checksum is right, whatever it says."""
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT)[-512:])
    if size_field is not None:
        block[124:136] = size_field
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % 512)


def member(name: str, content: bytes, kind: bytes = b"0") -> bytes:
    return header(name, len(content), kind) + padded(content)


def manifest(files: dict[str, int]) -> bytes:
    facts = {name: {"bytes": size, "sha256": "0" * 64} for name, size in files.items()}
    return member("manifest.json", json.dumps({"schema_version": 1, "files": facts}).encode())


def pax(key: str, value: str) -> bytes:
    record = f" {key}={value}\n"
    length = len(record) + len(str(len(record) + 4))
    return f"{length}{record}".encode()


END = bytes(1024)
ONE = manifest({NAME: 10})
BOMB = b'{"schema_version": 1, "files": {}, "x": '

HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "pax-of-gigabytes": (lambda: header("x", 4 << 30, b"x") + END, "extended header has"),
    "pax-that-is-there": (lambda: member("x", bytes(60 << 20), b"x") + END, "extended header has"),
    "global-pax": (lambda: member("x", pax("path", NAME), b"g") + ONE, "first member must be"),
    "long-name-of-gigabytes": (lambda: header("x", 2 << 30, b"L"), "extended header has"),
    "pax-chain": (lambda: member("x", pax("mtime", "1"), b"x") * 9000, "follows another one"),
    "pax-that-resizes": (
        lambda: ONE + member("x", pax("size", "9" * 12), b"x") + member(NAME, b"0123456789"),
        "'size', which none",
    ),
    "pax-sparse": (
        lambda: ONE + member("x", pax("GNU.sparse.map", "0,1"), b"x") + member(NAME, b"x"),
        "GNU.sparse.map",
    ),
    "pax-length": (lambda: member("x", b"9" * 5000 + b" a=b\n", b"x") + ONE, "malformed"),
    "pax-endless": (lambda: member("x", b"0 a=b\n" * 100, b"x") + ONE, "malformed"),
    "sparse": (lambda: ONE + header(NAME, 10, b"S") + END, "not a file"),
    "manifest-that-lies": (lambda: header("manifest.json", 15_000_000) + b"{}", "cut short"),
    "manifest-too-large": (lambda: header("manifest.json", 25_000_000) + END, "25,000,000 bytes"),
    "manifest-of-lists": (
        lambda: member("manifest.json", BOMB + b"[" + b"[]," * 5_000_000 + b"[]]}"),
        "more than 100,000 entries",
    ),
    "manifest-of-numbers": (
        lambda: member("manifest.json", BOMB + b"[" + b"1," * 7_900_000 + b"1]}"),
        "more than 100,000 entries",
    ),
    "manifest-nested": (
        lambda: member("manifest.json", BOMB + b"[" * 90_000 + b"]" * 90_000 + b"}"),
        "not one of ours",
    ),
    "manifest-of-one-number": (
        lambda: member("manifest.json", BOMB + b"9" * 10_000_000 + b"}"),
        "not one of ours",
    ),
    "many-files": (
        lambda: manifest({f"results/r-1/{i:06d}": 1 for i in range(110_000)}),
        "more than 100,000",
    ),
    "as-many-as-allowed": (
        lambda: manifest({f"results/{'r' * 30}/{'x' * 10}{i:06d}": 1 for i in range(99_000)}),
        "cut short",
    ),
    "gigabytes-declared": (
        lambda: manifest({NAME: 19_000_000_000}) + header(NAME, 0, size_field=b"1" * 11 + b"\0"),
        "100 times",
    ),
    "bomb-that-is-there": (
        lambda: manifest({NAME: 60 << 20}) + member(NAME, bytes(60 << 20)) + END,
        "100 times",
    ),
    "size-that-lies": (lambda: ONE + header(NAME, 1 << 32), "another size"),
    "size-in-binary": (
        lambda: ONE + header(NAME, 0, size_field=b"\x80" + bytes(10) + b"\x01"),
        "not a plain number",
    ),
    "size-negative": (lambda: ONE + header(NAME, 0, size_field=b"-0000000001\0"), "plain number"),
    "members-not-listed": (lambda: ONE + member("results/r-1/x", b"") * 50_000, "not in manifest"),
    "member-ten-thousand-times": (
        lambda: (
            manifest({NAME: 0}).replace(b"0" * 64, sha256().hexdigest().encode())
            + member(NAME, b"") * 10_000
        ),
        "twice",
    ),
    "file-and-folder": (
        lambda: (
            manifest({"results/r-1": 1, NAME: 1}).replace(
                b"0" * 64, sha256(b"x").hexdigest().encode()
            )
            + member("results/r-1", b"x")
            + member(NAME, b"x")
            + END
        ),
        "both a file and a folder",
    ),
    "checksum": (lambda: b"x" * 5120, "not a tar archive"),
}


def write(path: Path, content: bytes) -> Path:
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(padded(content))
    return path


def odd_files(folder: Path) -> dict[str, str]:
    """Write files that are not even gzip, or not whole."""
    whole = gzip.compress(ONE + member(NAME, os.urandom(10)) + END, 1)
    named = b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * 5_000_000 + b"\0" + bytes(8)
    contents = {
        "cut": (whole[: len(whole) * 2 // 3], "cut short"),
        "trailing": (whole + b"x", "cut short, or something follows"),
        "empty": (b"", "not gzip"),
        "text": (b"no archive at all, but a text", "not gzip"),
        "gzip-name-of-megabytes": (named, "damaged"),
        "empty-gzip-members": (gzip.compress(b"") * 50_000, "cut short"),
    }
    for name, (content, _) in contents.items():
        (folder / name).write_bytes(content)
    os.mkfifo(folder / "pipe")
    (folder / "folder").mkdir()
    texts = {name: text for name, (_, text) in contents.items()}
    return {**texts, "pipe": "not a regular file", "folder": "not a regular file"}


def test_hostile_archives_cost_neither_time_nor_memory_and_leave_nothing(tmp_path: Path) -> None:
    expected = odd_files(tmp_path)
    for name, (content, text) in HOSTILE.items():
        write(tmp_path / name, content())
        expected[name] = text
    target = tmp_path / "target"
    target.mkdir()
    ended = subprocess.run(
        [sys.executable, "-c", IMPORT, target, *(tmp_path / name for name in expected)],
        check=True,
        capture_output=True,
        text=True,
    )
    found = json.loads(ended.stdout)
    for name, wanted in expected.items():
        text, cpu_s, peak_mb = found[name]
        assert wanted in text, name
        assert text.isprintable(), (name, text)
        assert len(text) < 700, (name, text)
        assert cpu_s < MAX_CPU_S, (name, cpu_s)
        assert peak_mb < MAX_MEMORY_MB, (name, peak_mb)
    assert [path for path in target.rglob("*") if not path.is_dir()] == []


@pytest.mark.parametrize(
    "name",
    [
        "results/*/run.json",
        "results/-rf/run.json",
        "results/.git/config",
        "results/r-1/.hidden",
        "results/r-1/-x",
        "results/r\u0443n/run.json",
        "results/r-1/\u202egnp.exe",
        "results/r-1/\x1b]0;x\x07",
        "results/r-1/a\nb",
        "results/" + "a" * 58 + "/run.json",
        "results/r-1/" + "a" * 201,
        "results/r-1/" + "a/" * 12 + "b",
        "results/r-1/~/../../x",
        "results\\r-1\\x",
    ],
)
def test_a_hostile_name_is_refused_and_shown_inert(tmp_path: Path, name: str) -> None:
    buffer = io.BytesIO()
    facts = {name: {"bytes": 1, "sha256": sha256(b"x").hexdigest()}}
    content = json.dumps({"schema_version": 1, "files": facts}).encode()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for one, data in (("manifest.json", content), (name, b"x")):
            info = tarfile.TarInfo(one)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    (tmp_path / "a.tar.gz").write_bytes(buffer.getvalue())
    with pytest.raises(ArchiveError) as refused:
        import_archive(tmp_path / "a.tar.gz", tmp_path / "results")
    assert str(refused.value).isprintable()
    assert str(refused.value).isascii()
    assert not (tmp_path / "results").exists()


def test_what_cannot_be_imported_again_is_left_out_of_an_export_and_named(tmp_path: Path) -> None:
    results = tmp_path / "results"
    run = RunFolder(results / "r-1")
    run.begin("baseline")
    run.end("complete")
    home = run.root / "levels" / "00-10" / "worker-0-home" / ".cache"
    home.mkdir(parents=True)
    (home / "x").touch()
    (results / "M\u00e4rz.txt").touch()
    (results / "link").symlink_to("/etc/passwd")
    assert export_archive(results, tmp_path / "a.tar.gz") == 1
    assert left_out(results) == [
        "M\u00e4rz.txt",
        "link",
        "r-1/levels/00-10/worker-0-home/.cache/x",
    ]
    assert import_archive(tmp_path / "a.tar.gz", tmp_path / "there") == 1
    assert find_run(tmp_path / "there", "latest").run_id == "r-1"


def test_an_archive_that_needs_more_than_is_free_is_refused_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = type("Usage", (), {"free": 5})
    monkeypatch.setattr("perf_pipeline.archive.rules.shutil.disk_usage", lambda _path: free)
    write(tmp_path / "a.tar.gz", ONE + member(NAME, b"0123456789") + END)
    with pytest.raises(ArchiveError, match="needs 10 bytes, and 5 are free"):
        import_archive(tmp_path / "a.tar.gz", tmp_path / "results")
