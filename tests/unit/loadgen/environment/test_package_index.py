"""Which index installers ask: the user's, in uv's terms or pip's; and nothing leads elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.loadgen.environment import package_index
from perf_pipeline.loadgen.environment.package_index import installer_variables, without_index

if TYPE_CHECKING:
    from pathlib import Path

NO_FILES = {"PIP_CONFIG_FILE": os.devnull}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"PIP_INDEX_URL": "https://a/simple"}, {"UV_DEFAULT_INDEX": "https://a/simple"}),
        ({"PIP_EXTRA_INDEX_URL": "https://a https://b"}, {"UV_INDEX": "https://a https://b"}),
        ({"PIP_FIND_LINKS": "/a /b"}, {"UV_FIND_LINKS": "/a,/b"}),
        ({"PIP_TRUSTED_HOST": "a"}, {"UV_INSECURE_HOST": "a"}),
        ({"PIP_DEFAULT_TIMEOUT": "9"}, {"UV_HTTP_TIMEOUT": "9"}),
        ({"PIP_CERT": "/ca.pem"}, {"SSL_CERT_FILE": "/ca.pem"}),
        ({"PIP_PROXY": "http://p:1"}, {"ALL_PROXY": "http://p:1"}),
    ],
)
def test_uv_is_told_what_pip_would_use(given: dict[str, str], told: dict[str, str]) -> None:
    assert installer_variables({**NO_FILES, **given}).items() >= told.items()


@pytest.mark.parametrize("own", ["UV_DEFAULT_INDEX", "UV_INDEX_URL"])
def test_uvs_own_variable_wins_over_pips(own: str) -> None:
    given = {**NO_FILES, own: "https://uv", "PIP_INDEX_URL": "https://pip"}
    found = installer_variables(given)
    assert found[own] == "https://uv"
    assert {found.get("UV_DEFAULT_INDEX"), found.get("UV_INDEX_URL")} == {"https://uv", None}


def test_pips_configuration_files_count_where_no_variable_says_otherwise(tmp_path: Path) -> None:
    """A file that cannot be read is pip's to complain about."""
    (tmp_path / ".config/pip").mkdir(parents=True)
    (tmp_path / ".config/pip/pip.conf").write_text(
        "[global]\nindex-url = https://file\nuser = true\n"
        "extra-index-url =\n  https://a\n  https://b\n[install]\nno_index = yes\n"
    )
    home = {"HOME": str(tmp_path)}
    found = installer_variables(home)
    assert found["UV_DEFAULT_INDEX"] == "https://file"
    assert found["UV_INDEX"] == "https://a https://b"
    assert found["PIP_USER"] == "0"
    assert without_index(home)
    assert not without_index({**home, **NO_FILES})
    variable = {**home, "PIP_INDEX_URL": "https://variable"}
    assert installer_variables(variable)["UV_DEFAULT_INDEX"] == "https://variable"
    (tmp_path / ".config/pip/pip.conf").write_text("index-url = https://file")
    assert "UV_DEFAULT_INDEX" not in installer_variables(home)


def test_nothing_leads_an_installation_elsewhere() -> None:
    astray = dict.fromkeys(
        (
            "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_CONSTRAINT", "PIP_PYTHON", "PIP_PRE",
            "PIP_NO_BINARY", "PIP_REQUIRE_HASHES", "PIP_DRY_RUN", "UV_PYTHON", "UV_SYSTEM_PYTHON",
            "UV_PROJECT_ENVIRONMENT", "UV_CONSTRAINT", "UV_OVERRIDE", "UV_VENV_SEED", "UV_PROJECT",
            "UV_WORKING_DIR", "UV_RESOLUTION", "UV_MANAGED_PYTHON", "UV_EXCLUDE_NEWER",
            "VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "CONDA_PREFIX",
        ),
        "x",
    )  # fmt: skip
    meant = {"UV_CACHE_DIR": "/c", "UV_OFFLINE": "1", "UV_INDEX_MINE_PASSWORD": "p", "PATH": "/b"}
    found = installer_variables({**NO_FILES, **astray, **meant, "PIP_USER": "1"})
    assert not found.keys() & astray.keys()
    assert found.items() >= meant.items()
    assert (found["PIP_USER"], found["PIP_REQUIRE_VIRTUALENV"]) == ("0", "0")


def test_the_makefile_runs_a_command_with_them() -> None:
    """By its path, before anything is installed; a command that is not there is named."""
    run = [sys.executable, "-I", package_index.__file__]
    environ = {
        **NO_FILES,
        "PATH": os.environ["PATH"],
        "PIP_INDEX_URL": "https://a",
        "PIP_USER": "1",
    }
    shown = subprocess.run([*run, "env"], env=environ, capture_output=True, text=True, check=True)
    assert {"UV_DEFAULT_INDEX=https://a", "PIP_USER=0"} <= set(shown.stdout.split())
    readable = {"PATH": "/usr/bin:/bin"}  # a folder of root's there would be named instead
    missing = subprocess.run(
        [*run, "no-such-uv"], env=readable, capture_output=True, text=True, check=False
    )
    assert (missing.returncode, missing.stderr) == (
        1, "no-such-uv cannot be run: No such file or directory\n",
    )  # fmt: skip
