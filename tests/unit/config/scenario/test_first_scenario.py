"""A first scenario for a user's function: accepted by `check` at once, also what it offers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.cli.app import call
from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.scenario.builtin import open_scenario
from perf_pipeline.config.scenario.function_source import read_function
from perf_pipeline.errors import ScenarioError
from tests.sandbox import last_object

if TYPE_CHECKING:
    from pathlib import Path

SHOP = '''
import time
from asyncio import sleep
from functools import partial

class Engine:
    def run(self, number):
        return number
    async def arun(self, number): ...
    def nothing(self): ...
    @staticmethod
    def still(number): ...
    @property
    def odd(self):
        return print

engine = Engine()
LIMIT = 3
by_name: object = partial(print, 1)

def order(number):
    """Order a book."""
    time.sleep(0.01)

async def order_async(number):
    await sleep(0.01)

def nothing(): ...
def two(number, shop): ...
def with_default(number, shop="books"): ...
def any_number(*numbers): ...
def keyword(number, *, shop): ...
def optional_keyword(number, *, shop=None): ...
def counting(number):
    yield number
def with_inner(number):
    def inner():
        yield 1
    return inner

try:
    import nope
except ImportError:
    def chosen(number): ...
'''


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "shop.py").write_text(SHOP, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "is_async"),
    [
        ("order", False),
        ("order_async", True),
        ("with_default", False),
        ("any_number", False),
        ("optional_keyword", False),
        ("with_inner", False),
        ("engine.run", False),
        ("engine.arun", True),
        ("Engine.still", False),
        ("by_name", None),
        ("engine.odd", None),
        ("sleep", None),
        ("chosen", False),
    ],
)
def test_what_can_be_called_with_a_number_is_found(
    here: Path,
    name: str,
    is_async: bool | None,  # noqa: FBT001 - of the parameters
) -> None:
    found = read_function(f"shop:{name}", here)
    assert found.is_async is is_async
    assert found.folder == here
    assert found.target == ("callable_async" if is_async else "callable")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("shop", "is not module:function, such as shop:order"),
        ("shop:", "is not module:function"),
        ("../shop:order", "is not module:function"),
        ("store:order", "there is no store.py in .* call init in the folder of your module"),
        ("shop:oder", "shop.py has no oder"),
        ("shop:Engine", r"Engine is a class, .*engine = Engine\(\)"),
        ("shop:Engine.run", r"method without an instance .* name engine\.run"),
        ("shop:engine.nothing", r"takes no argument: .* def nothing\(number\)"),
        ("shop:LIMIT", "LIMIT is 3, which cannot be called"),
        ("shop:nothing", r"takes no argument: it is called with the workflow's number"),
        ("shop:two", r"needs 2 arguments \(number, shop\)"),
        ("shop:keyword", "needs the keyword shop"),
        ("shop:counting", "is a generator"),
        ("broken:order", "broken.py line 1 is not Python"),
    ],
)
def test_what_cannot_be_called_with_a_number_is_refused_with_what_to_do(
    here: Path, text: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "broken.py").write_text("def order(:", encoding="utf-8")
    with pytest.raises(ScenarioError, match=why):
        read_function(text, here)
    assert call(["init", text]) == 2
    assert re.search(why, capsys.readouterr().err)
    assert not list(here.glob("*.toml"))


@pytest.mark.parametrize("name", ["order_async", "engine.run"])
def test_check_accepts_the_file_at_once_and_every_setting_that_it_offers(
    here: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(["init", f"shop:{name}", "--json"]) == 0
    answered = last_object(capsys.readouterr().out)
    assert answered["next"] == ["perf-pipeline check shop.toml", "perf-pipeline run shop.toml"]
    assert call(["check", "shop.toml"]) == 0
    text = (here / "shop.toml").read_text(encoding="utf-8")
    offered = re.findall(r"^#(([a-z_]+) = .*)$", text, re.MULTILINE)
    assert len(offered) >= 7
    for number, (setting, key) in enumerate(offered):
        other = re.sub(rf"^{key} = .*$", "", text, flags=re.MULTILINE)
        file = here / f"changed_{number}.toml"
        file.write_text(other.replace(f"#{setting}", setting, 1), encoding="utf-8")
        open_scenario(str(file), read_machine_limits())


def test_the_file_may_be_elsewhere_and_nothing_is_overwritten(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "src" / "orders").mkdir(parents=True)
    (here / "src" / "orders" / "__init__.py").write_text("def place(number): ...", encoding="utf-8")
    (here / "loads").mkdir()
    assert call(["init", "orders:place", "--output", "loads/spring.toml"]) == 0
    found = open_scenario(str(here / "loads" / "spring.toml"), read_machine_limits())
    assert found.python_path == str(here / "src")
    assert found.name == "spring"
    before = (here / "loads" / "spring.toml").read_bytes()
    for output, why in (
        ("loads/spring.toml", "exists and is not overwritten"),
        ("gone/x.toml", "its folder is not there"),
        ("x.json", "is no scenario's name"),
        ("-x.toml", "is no scenario's name"),
        ("\u043e.toml", "is no scenario's name"),
    ):
        assert call(["init", "orders:place", f"--output={output}"]) == 2
        assert why in capsys.readouterr().err
    (here / "link.toml").symlink_to("nowhere")
    assert call(["init", "orders:place", "--output", "link.toml"]) == 2
    assert (here / "loads" / "spring.toml").read_bytes() == before


def test_nothing_of_the_module_is_run(here: Path) -> None:
    (here / "bomb.py").write_text("open('ran', 'w')\ndef order(number): ...\n", encoding="utf-8")
    read_function("bomb:order", here)
    assert not (here / "ran").exists()
