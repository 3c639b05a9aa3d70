"""Modules that wait for their first use, and what Dagster imports that a run never uses."""

from __future__ import annotations

import json
import subprocess
import sys
from textwrap import dedent
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from assets.execution.lazy_imports import _waiting, import_lazily

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BEGINS_A_RUN = """
import json, sys
from assets.execution.lazy_imports import SELDOM_USED, _waiting, import_lazily
import_lazily(SELDOM_USED)
import dagster as dg
import assets.execution.job_process

@dg.asset
def one() -> int:
    return 1

with dg.DagsterInstance.local_temp(sys.argv[1]) as instance:
    assert dg.materialize([one], instance=instance).success
    assert len(instance.get_runs()) == 1
print(json.dumps(sorted(set(SELDOM_USED) - set(_waiting))))
"""

KNOWS_DIALECTS = """
from assets.execution.lazy_imports import SELDOM_USED, import_lazily
import_lazily(SELDOM_USED)
import assets.execution.job_process
from alembic.ddl.impl import DefaultImpl
from sqlalchemy import make_url

for product in ("sqlite", "postgresql+psycopg", "mysql+pymysql"):
    dialect = make_url(f"{product}://").get_dialect()()
    print(DefaultImpl.get_by_dialect(dialect).__dialect__)
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package that is imported lazily, whose code takes a moment and imports a module below."""
    name = "imported_lazily"
    folder = tmp_path / name
    folder.mkdir()
    code = f"""
        import time
        from {name} import below
        time.sleep(0.2)
        value = below.value + 1
    """
    (folder / "__init__.py").write_text(dedent(code))
    (folder / "below.py").write_text("value = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    import_lazily([name])
    yield name
    for one in [one for one in sys.modules if one.partition(".")[0] == name]:
        del sys.modules[one]


def test_a_module_is_executed_when_something_of_it_is_asked_for(package: str) -> None:
    module = __import__(package)
    assert package in _waiting
    assert "value" not in vars(module)
    assert module.value == 2
    assert package not in _waiting
    with pytest.raises(AttributeError, match=r"imported_lazily.*no attribute 'other'"):
        _ = module.other


def test_a_module_below_is_imported_without_the_package(package: str) -> None:
    below = __import__(f"{package}.below", fromlist=["value"])
    assert below.value == 1
    assert package in _waiting


def test_a_second_thread_waits_until_the_module_is_complete(package: str) -> None:
    """Both ask at once: neither finds a module that lacks what its code has yet to make."""
    module: Any = __import__(package)
    found: list[int] = []
    threads = [Thread(target=lambda: found.append(module.value)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [2] * 4


def test_a_run_imports_what_is_listed_and_uses_none_of_it(tmp_path: Path) -> None:
    """What Dagster no longer imports, or a run has come to use, does not belong in the list."""
    ran = subprocess.run(
        [sys.executable, "-I", "-c", BEGINS_A_RUN, tmp_path],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout.splitlines()[-1]) == []


def test_storage_and_catalogue_may_be_on_any_server_that_they_support() -> None:
    """Alembic finds the dialect of a database only if its module was executed."""
    ran = subprocess.run(
        [sys.executable, "-I", "-c", KNOWS_DIALECTS],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.stdout.split() == ["sqlite", "postgresql", "mysql"], ran.stderr
