"""Archives of results: complete, and harmless whoever made them."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import time
from pathlib import Path

import pytest

from perf_pipeline.archive import unpack
from perf_pipeline.archive.__main__ import main
from perf_pipeline.archive.export import export_archive
from perf_pipeline.archive.members import ArchiveError
from perf_pipeline.archive.unpack import import_archive
from perf_pipeline.host.load_lock import load_lock
from perf_pipeline.lifeline import own_stamp
from perf_pipeline.samples.run_file import read_file

RUN = "20241201_120000-4f2c"


def made_results(folder: Path, status: str = "complete") -> Path:
    results = folder / "results"
    (results / RUN).mkdir(parents=True)
    record = {
        "run_id": RUN,
        "scenario": "baseline",
        "status": status,
        "process": list(own_stamp()),
        "started_at": "2024-12-01T12:00:00+00:00",
    }
    (results / RUN / "run.json").write_text(json.dumps(record), encoding="utf-8")
    (results / "baseline_100_20241201_120000.json").write_text("[]", encoding="utf-8")
    (results / ".half.tmp").write_text("half", encoding="utf-8")
    (results / RUN / "levels/10").mkdir(parents=True)
    (results / RUN / "levels/10/worker-0.log").write_text("said", encoding="utf-8")
    return results


def test_a_run_of_an_earlier_version_is_exported_without_its_passwords(tmp_path: Path) -> None:
    results = made_results(tmp_path / "here")
    job = results / RUN / "levels/10/worker-0.json"
    job.write_text('{"url": "postgresql://u:CANARY@h/d"}', encoding="utf-8")
    export_archive(results, tmp_path / "a.tar.gz")

    import_archive(tmp_path / "a.tar.gz", tmp_path / "there" / "results")

    assert files_below(results) - files_below(tmp_path / "there" / "results") >= {
        str(job.relative_to(results))
    }


def foreign(path: Path, member: tarfile.TarInfo, content: bytes = b"x", **reported: object) -> Path:
    """Write an archive of one member whose manifest agrees with it, but for ``reported``."""
    if member.isreg():
        member.size = len(content)
    entry = {"bytes": member.size, "sha256": hashlib.sha256(content).hexdigest(), **reported}
    manifest = json.dumps({"schema_version": 1, "files": {member.name: entry}}).encode()
    head = tarfile.TarInfo("manifest.json")
    head.size = len(manifest)
    with tarfile.open(path, "w:gz") as tar:
        tar.addfile(head, io.BytesIO(manifest))
        tar.addfile(member, io.BytesIO(content))
    return path


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_what_is_exported_comes_back_whole_and_nothing_else(tmp_path: Path) -> None:
    results = made_results(tmp_path / "here")
    archive = tmp_path / "a.tar.gz"
    assert export_archive(results, archive) == 3
    there = tmp_path / "there"
    assert import_archive(archive, there / "results") == 3
    expected = files_below(tmp_path / "here") - {"results/.half.tmp"}
    assert files_below(there) == expected
    log = there / "results" / RUN / "levels/10/worker-0.log"
    assert log.read_text(encoding="utf-8") == "said"


def test_comparisons_join_those_that_are_there_and_pages_of_histories_stay(tmp_path: Path) -> None:
    results = made_results(tmp_path / "here")
    files = (
        *("allocations/c-1.json", "comparisons/c-1.json", "profiles/c-1.json"),
        "trends/baseline-kailash-1234abcd.html",
    )
    for file in files:
        (results / file).parent.mkdir()
        (results / file).write_text("{}", encoding="utf-8")
    there = tmp_path / "there/results"
    for folder in ("allocations", "comparisons", "profiles"):
        (there / folder).mkdir(parents=True)
        (there / folder / "c-0.json").write_text("older", encoding="utf-8")
    export_archive(results, tmp_path / "a.tar.gz")
    import_archive(tmp_path / "a.tar.gz", there)
    found = files_below(there)
    pairs = {
        f"{name}/c-{number}.json"
        for name in ("allocations", "comparisons", "profiles")
        for number in (0, 1)
    }
    assert pairs | {f"{RUN}/run.json"} <= found
    assert not any(name.startswith("trends/") for name in found)


def test_a_comparison_is_not_written_below_a_link_or_over_another(tmp_path: Path) -> None:
    results, outside = made_results(tmp_path / "here"), tmp_path / "outside"
    for folder in (results / "comparisons", outside, tmp_path / "there/results"):
        folder.mkdir(parents=True)
    (results / "comparisons/c-1.json").write_text("{}", encoding="utf-8")
    export_archive(results, tmp_path / "a.tar.gz")
    link = tmp_path / "there/results/comparisons"
    link.symlink_to(outside)
    with pytest.raises(ArchiveError, match="is no folder"):
        import_archive(tmp_path / "a.tar.gz", link.parent)
    link.unlink()
    link.mkdir()
    (link / "c-1.json").write_text("another", encoding="utf-8")
    with pytest.raises(ArchiveError, match="is there already"):
        import_archive(tmp_path / "a.tar.gz", link.parent)
    assert (files_below(outside), files_below(link.parent)) == (set(), {"comparisons/c-1.json"})


@pytest.mark.parametrize(
    "name",
    [
        "/etc/x",
        "results/../../x",
        "../x",
        "other/x",
        "logs/x",
        "results",
        "results//x",
        "./results/x",
    ],
)
def test_a_member_that_would_lie_outside_is_refused_by_name(tmp_path: Path, name: str) -> None:
    archive = foreign(tmp_path / "a.tar.gz", tarfile.TarInfo(name))
    with pytest.raises(ArchiveError) as reported:
        import_archive(archive, tmp_path / "in/results")
    assert repr(name) in str(reported.value)
    assert list(tmp_path.iterdir()) == [archive]


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE]
)
def test_a_member_that_is_no_file_is_refused_by_name(tmp_path: Path, kind: bytes) -> None:
    member = tarfile.TarInfo("results/run/link")
    member.type, member.linkname = kind, "/etc/passwd"
    archive = foreign(tmp_path / "a.tar.gz", member)
    with pytest.raises(ArchiveError, match=r"'results/run/link' .*not a file"):
        import_archive(archive, tmp_path / "in/results")


@pytest.mark.parametrize(
    ("reported", "why"), [({"bytes": 2}, "another size"), ({"sha256": "0"}, "SHA")]
)
def test_a_file_that_differs_from_its_manifest_is_refused(
    tmp_path: Path, reported: dict[str, object], why: str
) -> None:
    archive = foreign(tmp_path / "a.tar.gz", tarfile.TarInfo("results/x"), **reported)
    with pytest.raises(ArchiveError, match=why):
        import_archive(archive, tmp_path / "in/results")
    assert files_below(tmp_path) == {"a.tar.gz"}


def test_an_archive_larger_than_the_bound_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpack, "MAX_BYTES", 9)
    archive = foreign(tmp_path / "a.tar.gz", tarfile.TarInfo("results/x"), b"0123456789")
    with pytest.raises(ArchiveError, match="10 bytes; the maximum is 9"):
        import_archive(archive, tmp_path / "in/results")


def test_a_run_that_is_there_is_never_added_to_nor_written_over(tmp_path: Path) -> None:
    results = made_results(tmp_path)
    archive = foreign(tmp_path / "a.tar.gz", tarfile.TarInfo(f"results/{RUN}/new.json"))
    before = files_below(results)
    with pytest.raises(ArchiveError, match="is there already"):
        import_archive(archive, results)
    assert files_below(results) == before


def test_nothing_is_put_below_a_link(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    results = tmp_path / "results"
    results.mkdir()
    (results / "link").symlink_to(outside)
    archive = foreign(tmp_path / "a.tar.gz", tarfile.TarInfo("results/link/x"))
    with pytest.raises(ArchiveError, match="is there already"):
        import_archive(archive, results)
    assert files_below(outside) == set()


def test_a_run_that_goes_on_and_an_archive_that_exists_are_left_alone(tmp_path: Path) -> None:
    results = made_results(tmp_path, status="running")
    with pytest.raises(ArchiveError, match=f"run {RUN} goes on"):
        export_archive(results, tmp_path / "a.tar.gz")
    taken = tmp_path / "taken.tar.gz"
    taken.write_bytes(b"mine")
    with pytest.raises(ArchiveError, match="not overwritten"):
        export_archive(made_results(tmp_path / "b"), taken)
    assert taken.read_bytes() == b"mine"


def test_what_may_grow_is_refused_in_every_state(tmp_path: Path) -> None:
    """A run of another host, shards that nobody merged, and a campaign of which an hour is played.

    Once that is over, the same results are exported.
    """
    results, archive = made_results(tmp_path / "here"), tmp_path / "a.tar.gz"
    elsewhere = results / "20241202_120000-aaaa"
    elsewhere.mkdir()
    record = json.loads((results / RUN / "run.json").read_text(encoding="utf-8"))
    stamp = own_stamp()._replace(boot_id="another", machine="another")
    ran = {**record, "run_id": elsewhere.name, "status": "running", "process": list(stamp)}
    (elsewhere / "run.json").write_text(json.dumps(ran), encoding="utf-8")
    sharded = results / "20241203_120000-bbbb"
    (sharded / "shards").mkdir(parents=True)
    (sharded / "shards/order.json").write_text("{}", encoding="utf-8")
    campaign = results / "endurance-20241204_120000-cccc"
    campaign.mkdir()

    with (
        load_lock(campaign / ".playing", "hour 0", pytest.fail, time.sleep),
        pytest.raises(ArchiveError) as refused,
    ):
        export_archive(results, archive)

    not_seen, unmerged, playing = str(refused.value).splitlines()
    assert f"run {elsewhere.name} is not seen from here" in not_seen
    assert f"`perf-pipeline merge {sharded.name}`" in unmerged
    assert f"campaign {campaign.name} goes on" in playing
    assert not archive.exists()
    for one in (elsewhere, sharded):
        (one / "run.json").write_text(json.dumps({**record, "run_id": one.name}), encoding="utf-8")
    assert export_archive(results, archive) > 0


def test_an_archive_goes_where_its_maker_may_write_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not into a colleague's checkout, and not even where root could; or where it is told to."""
    own, foreign = tmp_path / "own", tmp_path / "foreign"
    results = made_results(own)
    foreign.mkdir()
    monkeypatch.chdir(foreign)
    owners = {foreign: os.geteuid() + 1}
    stat = Path.stat

    def owned(path: Path, **options: bool) -> os.stat_result:
        found = stat(path, **options)
        return os.stat_result([*found[:4], owners.get(path, found.st_uid), *found[5:]])

    with monkeypatch.context() as patched:
        patched.setattr(Path, "stat", owned)
        assert main(["export", str(results)]) == 0
    said = capsys.readouterr().out.split(" files in ")[1].split(";")[0].strip()
    assert Path(said).parent == own
    assert Path(said).exists()
    assert main(["export", str(results), "named.tar.gz"]) == 0
    assert files_below(foreign) == {"named.tar.gz"}
    monkeypatch.setattr(os, "access", lambda *_arguments: False)
    assert main(["export", str(results)]) == 2
    assert "ARCHIVE=FILE" in capsys.readouterr().err


def test_a_hard_link_to_another_users_file_is_not_exported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Links between files of one user are what snapshots of a folder consist of."""
    if os.geteuid():
        pytest.skip("only root can give a file to another user")
    results = made_results(tmp_path)
    log = results / RUN / "levels/10/worker-0.log"
    (log.parent / "snapshot.log").hardlink_to(log)
    secret = tmp_path / "secret"
    secret.write_text("root's")
    (log.parent / "worker-1.log").hardlink_to(secret)
    os.chown(log.parent, 12345, -1)
    os.chown(log, 12345, -1)
    assert main(["export", str(results), str(tmp_path / "a.tar.gz")]) == 0
    assert "1 left out, such as '" in capsys.readouterr().out
    with tarfile.open(tmp_path / "a.tar.gz") as tar:
        names = tar.getnames()
    logs = [name.rpartition("/")[2] for name in names if name.endswith(".log")]
    assert logs == ["snapshot.log", "worker-0.log"]
    with pytest.raises(OSError, match="hard link to a file of another user"):
        read_file(log.parent / "worker-1.log")
    assert read_file(log) == b"said"


def test_an_import_needs_an_archive_and_reports_what_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = str(tmp_path / "results")
    assert main(["import", "", results]) == 2
    plain = tmp_path / "plain"
    plain.write_bytes(b"no archive")
    assert main(["import", str(plain), results]) == 2
    assert "cannot be read as .tar.gz" in capsys.readouterr().err
