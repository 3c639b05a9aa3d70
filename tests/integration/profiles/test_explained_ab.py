"""``ab --explain``: two revisions of a user's code, and the function that makes the difference."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sandbox import WAIT_S, Sandbox, last_object

pytestmark = [
    pytest.mark.integration,
    pytest.mark.alone,
    pytest.mark.slow,
    pytest.mark.timeout(WAIT_S + 10),
    pytest.mark.skipif(shutil.which("git") is None, reason="git is missing"),
]

SHOP = """
def price(number):
    total = 0
    for one in range({rounds}):
        total += one * number
    return total

def tax(number):
    total = 0
    for one in range(6000):
        total += one % 7
    return total

def order(number):
    price(number)
    tax(number)
"""
FILE = f"""
target = "callable"
interpreter = "{sys.executable}"
python_path = "."
processes = 1
concurrency = [2]
[[workload]]
function = "shop:order"
[phases]
ramp_up_s = 0
warm_up_s = 0.3
steady_s = 2
drain_s = 0.5
"""


def test_the_function_that_became_slower_is_named_with_a_page_of_its_own(tmp_path: Path) -> None:
    """Two pairs decide nothing; ``--explain`` samples both revisions all the same."""
    sandbox = Sandbox(tmp_path / "ab")
    try:
        code = sandbox.folder / "code"
        code.mkdir()
        file = code / "mine.toml"
        file.write_text(FILE, encoding="utf-8")
        git = ("git", "-C", str(code), "-c", "user.name=t", "-c", "user.email=t@localhost")
        subprocess.run([*git, "init", "--quiet"], check=True)
        for rounds in (3000, 9000):
            (code / "shop.py").write_text(SHOP.format(rounds=rounds), encoding="utf-8")
            subprocess.run([*git, "add", "shop.py"], check=True)
            subprocess.run([*git, "commit", "--quiet", "--message", str(rounds)], check=True)

        arms = ("--a-rev", "HEAD~1", "--b-rev", "HEAD", "--pairs", "2")
        ended = sandbox.cli("ab", str(file), *arms, "--explain", "--json")

        told = last_object(ended.stdout)
        assert told["why"][0].startswith("price (shop.py:"), ended.stderr
        assert "more CPU time per workflow" in told["why"][0]
        page = Path(told["report"])
        assert f"../profiles/{page.name}" in page.read_text(encoding="utf-8")
        profile = page.parents[1] / "profiles" / page.name
        assert 'class="flames"' in profile.read_text(encoding="utf-8")
        levels = [one.name for one in (sandbox.results / told["run_id"] / "levels").iterdir()]
        assert len(levels) == 4
        assert not any("explain" in name for name in levels)
    finally:
        sandbox.close()
