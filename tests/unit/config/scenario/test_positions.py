"""The line of every key, with any strings and comments around it."""

from __future__ import annotations

import tomllib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from perf_pipeline.config.scenario.positions import MAX_DEPTH, KeyPath, key_lines


def paths_of(value: Any, path: KeyPath = ()) -> set[KeyPath]:
    """Every path of a loaded document: the slow and obvious way."""
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    own = {path} if path else set()
    return own.union(*(paths_of(inner, (*path, key)) for key, inner in items))


def test_each_key_has_its_line_among_strings_that_look_like_toml() -> None:
    text = '''\
# [not] a = 1
a = "x = 1 # no comment \\" ["
b = """
[table]
c = 1"""
'd.e' = [ # comment, with ] in it
  1,

  {f = 2, "g" = "}"}, ]
[h.i]
j.k = 1979-05-27 07:32:00
[[l]]
m = \'\'\'
]]\'\'\'
[l.n]
o = """a""""
[[l]]
m = 'x'
[l.n]
[p]'''
    assert key_lines(text) == {
        ("a",): 2,
        ("b",): 3,
        ("d.e",): 6,
        ("d.e", 0): 7,
        ("d.e", 1): 9,
        ("d.e", 1, "f"): 9,
        ("d.e", 1, "g"): 9,
        ("h",): 10,
        ("h", "i"): 10,
        ("h", "i", "j"): 11,
        ("h", "i", "j", "k"): 11,
        ("l",): 12,
        ("l", 0): 12,
        ("l", 0, "m"): 13,
        ("l", 0, "n"): 15,
        ("l", 0, "n", "o"): 16,
        ("l", 1): 17,
        ("l", 1, "m"): 18,
        ("l", 1, "n"): 19,
        ("p",): 20,
    }


KEYS = st.sampled_from(["a", "b", '"c d"', "'e]'", "f.g", '"\\u0068"', "3.14", 'x . "y.z"', "-"])
SCALARS = st.sampled_from(
    ['"a]b"', '"#"', "'\"'", '"\\""', '""', "''", '"""x\n]"y"""', '""""""', "'''a''''", '""""q"""',
     '"""r""""', "1.5", "-inf", "true", "1979-05-27 07:32:00", "07:32:00",
     "'''\n\n'''", '"""\\\n  z"""']
)  # fmt: skip
GAPS = st.sampled_from(["", " ", "\n", " # c ] , \n", "\n\n\t"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(st.tuples(GAPS, inner, GAPS).map("".join), max_size=4).map(
            lambda items: f"[{','.join(items)}]"
        ),
        st.dictionaries(KEYS, inner, max_size=3).map(
            lambda table: "{" + ", ".join(f"{key}={value}" for key, value in table.items()) + "}"
        ),
    ),
    max_leaves=8,
)
LINES = st.one_of(
    st.tuples(KEYS, VALUES).map(lambda pair: f"{pair[0]} = {pair[1]} # x = [1]"),
    KEYS.map(lambda key: f" [ {key} ] "),
    KEYS.map(lambda key: f"[[{key}]]#"),
    st.sampled_from(["", "# [a]", "\r"]),
)


@settings(max_examples=150, deadline=None)
@given(lines=st.lists(LINES, max_size=10))
def test_every_path_that_tomllib_finds_has_a_line_that_exists(lines: list[str]) -> None:
    text = "\n".join(lines)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    found = key_lines(text)
    assert set(found) == {path for path in paths_of(document) if len(path) <= MAX_DEPTH}
    assert all(1 <= line <= text.count("\n") + 1 for line in found.values())


@settings(max_examples=200, deadline=None)
@given(
    names=st.lists(st.sampled_from("abcdefgh"), unique=True), value=VALUES, gap=st.integers(0, 3)
)
def test_each_top_level_key_is_on_the_line_that_begins_with_it(
    names: list[str], value: str, gap: int
) -> None:
    text = "".join(f"{name} = {value}\n" + "\n" * gap for name in names)
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    lines = text.split("\n")
    for name in names:
        assert lines[key_lines(text)[(name,)] - 1].startswith(f"{name} = ")


def test_windows_line_ends_count_once() -> None:
    text = 'a = 1\r\n# c\r\nb = """x\r\ny"""\r\nc = [\r\n1]\r\n'
    assert key_lines(text) == {("a",): 1, ("b",): 3, ("c",): 5, ("c", 0): 6}


def test_no_depth_of_nesting_is_too_deep() -> None:
    for opening, closing in (("[", "]"), ("{a=", "}")):
        assert key_lines(f"a = {opening * 5000}1{closing * 5000}\nb = 1\n")["b",] == 2


def test_a_value_nested_deeper_than_any_key_ends_where_it_ends() -> None:
    text = "a = " + "[" * 30 + "'x]'" + "]" * 30 + "\nb = 1\n"
    found = key_lines(text)
    assert found["b",] == 2
    assert max(len(path) for path in found) == MAX_DEPTH
