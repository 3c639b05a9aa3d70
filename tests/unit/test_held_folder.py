"""What may be cleared away: the caller's own, reached without links, and held by nobody."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.held_folder import hold, holder_liveness, may_be_cleared, read_own
from perf_pipeline.lifeline import Liveness, own_stamp

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
FILE, HOLDER = "guardian.json", "guardian"
NOBODY = 65534
OTHER = 12345
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Path]:
    """A sticky folder that every user reaches, as /tmp is."""
    folder = Path("/tmp") / f"perf_pipeline-test-held-{os.getpid()}-{tmp_path.name}"  # noqa: S108
    folder.mkdir()
    folder.chmod(0o1777)
    yield folder
    shutil.rmtree(folder)


def made(place: Path, name: str = "perf_pipeline-server-x", **facts: object) -> Path:
    """A folder whose holder is dead, unless ``facts`` say something else."""
    folder = place / name
    folder.mkdir(mode=0o700)
    dead = own_stamp()._replace(start_ticks=1)
    (folder / FILE).write_text(json.dumps({HOLDER: list(dead), **facts}))
    return folder


def clearable(folder: Path, run_as: int | None = None) -> bool:
    return may_be_cleared(folder, FILE, HOLDER, run_as=run_as)


def as_user(uid: int, code: str, *arguments: object) -> str:
    """Run Python code as another user, on files that everybody may read."""
    return subprocess.run(
        [
            *("setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"),
            *("/usr/bin/python3", "-B", "-c", code, *map(str, arguments)),
        ],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT)},
    ).stdout.strip()


def test_a_folder_whose_holder_is_dead_may_be_cleared(tmp_path: Path) -> None:
    assert clearable(made(tmp_path))


@pytest.mark.parametrize("stamp", ["other container", "other host"])
def test_a_holder_that_is_not_seen_from_here_may_live(tmp_path: Path, stamp: str) -> None:
    mine = own_stamp()._replace(start_ticks=1)
    not_seen = mine._replace(pid_namespace=7)
    if stamp == "other host":
        not_seen = mine._replace(boot_id="another", machine="another")

    assert not clearable(made(tmp_path, **{HOLDER: list(not_seen)}))


def test_a_lock_is_seen_where_its_holder_is_not(tmp_path: Path) -> None:
    """A process of another container of this host: the kernel knows of its lock."""
    hidden = own_stamp()._replace(pid_namespace=7)
    folder = tmp_path / "held"
    folder.mkdir()
    held = hold(folder, FILE, {HOLDER: list(hidden)})
    assert not clearable(folder)

    os.close(held)

    assert clearable(folder)


@pytest.mark.parametrize("why", ["refused", "without effect"])
def test_a_file_system_that_keeps_no_locks_tells_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    """Some network file systems refuse locks, others take them and show them to nobody."""

    def without(_descriptor: int, _operation: int) -> None:
        if why == "refused":
            raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", without)
    hidden = own_stamp()._replace(pid_namespace=7)
    folder = tmp_path / "held"
    folder.mkdir()
    held = hold(folder, FILE, {HOLDER: list(hidden)})

    assert holder_liveness(folder, FILE, HOLDER, hidden) is Liveness.NOT_SEEN
    os.close(held)
    assert holder_liveness(folder, FILE, HOLDER, hidden) is Liveness.NOT_SEEN
    assert not clearable(folder)


@pytest.mark.parametrize("elsewhere", ["copy", "other host", "other process"])
def test_a_free_lock_proves_nothing_where_it_was_not_taken(tmp_path: Path, elsewhere: str) -> None:
    """The kernel here would not know of the lock, or it is not that of the process in question."""
    holder = own_stamp()._replace(pid_namespace=7)
    if elsewhere == "other host":
        holder = holder._replace(boot_id="another", machine="another")
    folder = tmp_path / "held"
    folder.mkdir()
    os.close(hold(folder, FILE, {HOLDER: list(holder)}))
    if elsewhere == "copy":
        folder = shutil.copytree(folder, tmp_path / "copy")
    if elsewhere == "other process":
        holder = holder._replace(start_ticks=1)

    assert holder_liveness(folder, FILE, HOLDER, holder) is Liveness.NOT_SEEN


def test_those_who_look_at_a_lock_do_not_see_each_other(tmp_path: Path) -> None:
    """A dashboard and an exporter look at the same time: neither is the run."""
    hidden = own_stamp()._replace(pid_namespace=7)
    folder = tmp_path / "held"
    folder.mkdir()
    os.close(hold(folder, FILE, {HOLDER: list(hidden)}))
    with (folder / FILE).open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        assert holder_liveness(folder, FILE, HOLDER, hidden) is Liveness.GONE


def test_a_real_process_in_another_pid_namespace_holds_its_folder(tmp_path: Path) -> None:
    """Two containers on one volume: its process id means nothing here, or is another process's."""
    (tmp_path / "held").mkdir()
    code = (
        "import sys; from pathlib import Path; from perf_pipeline.held_folder import hold; "
        "from perf_pipeline.lifeline import own_stamp; "
        "hold(Path(sys.argv[1]), 'guardian.json', {'guardian': list(own_stamp())}); "
        "print('held', flush=True); sys.stdin.read()"
    )
    apart = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"]
    other = subprocess.Popen(
        [*apart, sys.executable, "-c", code, tmp_path / "held"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None
    assert other.stdin is not None
    if other.stdout.readline() != "held\n":
        pytest.skip("this machine allows no PID namespace")
    try:
        assert not clearable(tmp_path / "held")
    finally:
        other.stdin.close()
        other.wait()
        other.stdout.close()
    assert clearable(tmp_path / "held")


def test_neither_links_nor_files_nor_what_is_gone_may_be_cleared(tmp_path: Path) -> None:
    folder = made(tmp_path)
    (tmp_path / "link").symlink_to(folder)
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")

    assert [clearable(tmp_path / name) for name in ("link", "file", "pipe", "gone")] == [False] * 4


def test_a_linked_or_piped_holder_file_is_not_read(tmp_path: Path) -> None:
    """The link leads to a file that would allow it; the folder is young, so it stays."""
    other = made(tmp_path)
    for name, make in (("a", lambda path: path.symlink_to(other / FILE)), ("b", os.mkfifo)):
        folder = tmp_path / name
        folder.mkdir()
        make(folder / FILE)
        assert not clearable(folder)


@as_root
def test_root_clears_nothing_of_another_user(shared: Path) -> None:
    """The attack: a folder and a holder file of anybody's, in the sticky temporary folder."""
    code = (
        "import json, os, sys; from pathlib import Path; folder = Path(sys.argv[1], "
        "'perf_pipeline-server-evil'); folder.mkdir(); (folder / 'guardian.json').write_text("
        "json.dumps({'guardian': [999999, 1, 'x', 0], 'locked': True})); print(folder)"
    )
    folder = Path(as_user(OTHER, code, shared))

    assert not clearable(folder)
    assert not clearable(folder, run_as=NOBODY)
    os.utime(folder, (0, 0))
    (folder / FILE).unlink()
    assert not clearable(folder)


@as_root
def test_a_user_clears_nothing_of_root_or_of_another_user(shared: Path) -> None:
    roots = made(shared, "perf_pipeline-server-roots")
    roots.chmod(0o755)
    others = made(shared, "perf_pipeline-server-others")
    os.chown(others, OTHER, OTHER)
    os.chown(others / FILE, OTHER, OTHER)
    code = (
        "import sys; from pathlib import Path; from perf_pipeline.held_folder import "
        "may_be_cleared; print([may_be_cleared(Path(one), 'guardian.json', 'guardian') "
        "for one in sys.argv[1:]])"
    )
    try:
        assert as_user(NOBODY, code, roots, others) == "[False, False]"
    except subprocess.CalledProcessError as error:
        pytest.skip(f"user nobody cannot read this checkout: {error.stderr[-200:]}")
    assert clearable(roots)


@as_root
def test_a_folder_that_roots_server_user_owns_is_cleared_only_by_roots_own_word(
    shared: Path,
) -> None:
    """That user may replace what is in the folder, but cannot make a file of root's that names it.

    Nor may it move such a file from one folder to another.
    """
    folder, other = shared / "one", shared / "two"
    for path in (folder, other):
        path.mkdir()
    os.close(hold(folder, FILE, {HOLDER: list(own_stamp()._replace(start_ticks=1))}))
    for path in (folder, other):
        os.chown(path, NOBODY, NOBODY)
    assert clearable(folder, run_as=NOBODY)
    assert not clearable(folder)

    (folder / FILE).rename(other / FILE)
    assert not clearable(other, run_as=NOBODY)
    (folder / FILE).write_text((other / FILE).read_text())
    os.chown(folder / FILE, NOBODY, NOBODY)
    assert not clearable(folder, run_as=NOBODY)


@as_root
def test_a_state_file_of_another_user_is_not_believed(shared: Path) -> None:
    """Root's HOME may be another user's (sudo -E): the file would name processes to end."""
    mine, theirs, link = shared / "mine", shared / "theirs", shared / "link"
    mine.write_text("x")
    theirs.write_text("x")
    os.chown(theirs, OTHER, OTHER)
    link.symlink_to(mine)

    assert [read_own(path) for path in (mine, theirs, link)] == ["x", None, None]
