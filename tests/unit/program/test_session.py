"""Variables that a session has for other Pythons and other projects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perf_pipeline.program.session import forget_other_pythons

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

SAY = """
import os, subprocess
assert sys.flags.optimize == 0 and sys.flags.isolated and not sys.warnoptions
import json
child = subprocess.run([sys.executable, "-c", "import json, sys; print(sys.flags.optimize)"],
                       capture_output=True, text=True)
print(child.stdout.strip(), child.stderr, [n for n in os.environ if n.startswith("PYTHON")])
return 0
"""


@pytest.mark.parametrize(
    "variables",
    [
        {"PYTHONOPTIMIZE": "2", "PYTHONWARNINGS": "error", "PYTHONDEVMODE": "1"},
        {"PYTHONPATH": "{folder}", "PYTHONSAFEPATH": "1", "PYTHONNOUSERSITE": "1"},
        {"PYTHONSTARTUP": "{folder}/json.py", "PYTHONINSPECT": "1", "VIRTUAL_ENV": "/none"},
        {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": "/none", "PYTHONVERBOSE": ""},
    ],
)
def test_another_projects_python_is_not_ours(
    program: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path: Path,
    variables: dict[str, str],
) -> None:
    """Neither this process nor its children follow the variables, or a module beside the user."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other/json.py").write_text("raise ValueError('of another project')")
    (tmp_path / "subprocess.py").write_text("raise ValueError('in the current folder')")
    filled = {name: text.format(folder=tmp_path / "other") for name, text in variables.items()}
    ended = program(SAY, **filled)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == "0  []\n"


def test_numpy_uses_one_thread_unless_the_session_says_more(
    program: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    """Two threads took 29 s of CPU time where one takes 11.5 s, and were no faster."""
    say = "import os; print(os.environ['OPENBLAS_NUM_THREADS']); return 0"
    assert program(say).stdout == "1\n"
    assert program(say, OPENBLAS_NUM_THREADS="4").stdout == "4\n"


def test_a_size_of_the_terminal_that_is_none_is_forgotten() -> None:
    environ = {"COLUMNS": "0", "LINES": "40", "TERMINAL_WIDTH": "wide", "HOME": "/home/me"}
    forget_other_pythons(environ)
    assert environ == {"LINES": "40", "HOME": "/home/me"}


def test_a_relative_folder_for_temporary_files_is_the_callers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    environ = {"TMPDIR": "mine"}
    forget_other_pythons(environ)
    assert environ == {"TMPDIR": str(tmp_path / "mine")}


def test_no_file_can_be_written_by_every_user(
    program: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    """Whatever the umask; one that is stricter stays."""
    for umask, mode in (("000", 0o664), ("077", 0o600)):
        file = tmp_path / umask
        program(f"open({str(file)!r}, 'w').close()", f"umask {umask}; {{}}")
        assert file.stat().st_mode & 0o777 == mode
