"""Text of unknown origin stays readable and harmless."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from perf_pipeline.report.text import escape


def test_a_terminal_escape_is_spelled_out() -> None:
    assert escape.visible("\x1b[31mred\x1b[0m") == "\\x1b[31mred\\x1b[0m"


def test_a_character_that_reverses_the_line_is_spelled_out() -> None:
    assert escape.visible("a\u202eb\U000e0041") == "a\\u202eb\\U000e0041"


def test_a_cut_says_how_much_is_missing() -> None:
    assert escape.visible("x" * 1_600, length_max=100) == "x" * 100 + "… (1,500 more characters)"


def test_letters_of_any_language_stay_as_they_are() -> None:
    assert escape.visible("Prüfung 負荷 ≥ 5 µs") == "Prüfung 負荷 ≥ 5 µs"


@given(st.text(alphabet=st.characters(), max_size=200))
def test_any_text_becomes_one_printable_line_of_utf_8(any_text: str) -> None:
    """Also half of a surrogate pair, which no file of ours could hold."""
    shown = escape.visible(any_text)
    assert shown.encode("utf-8").decode("utf-8") == shown
    assert shown.isprintable()
    assert len(shown.splitlines()) <= 1
    assert escape.visible(shown, length_max=10_000) == shown


@given(st.text(alphabet=st.sampled_from("<>/!a|`[](){}*_\\&;#~$ \n"), max_size=40))
def test_markdown_of_any_text_holds_no_tag_no_cell_border_and_no_code(any_text: str) -> None:
    shown = escape.markdown(any_text)
    assert "<a" not in shown
    assert "<!" not in shown
    assert "</" not in shown
    unescaped = shown.replace("\\\\", "")
    for special in "|`[]*":
        assert unescaped.count(special) == unescaped.count(f"\\{special}")
