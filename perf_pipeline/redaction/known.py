"""Finds secrets that are known in a text: in every spelling, cut short, and in another case.

Standard library only: the worker imports this.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from perf_pipeline.redaction.logins import HIDDEN
from perf_pipeline.redaction.spellings import base64_cores, spellings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MIN_CUT = 6
"""Characters of a secret without its end that are removed, if they are half of it."""

_BEGINNING = 4
"""Characters of a text that are looked for before the pattern is; several share a beginning."""

_WORD_LIKE = re.compile(r"\w{1,7}|[a-z]+", re.ASCII)
"""A secret like this one is replaced where it is a word, not inside of another word."""

_WORDS = re.compile(r"(?:[A-Za-z]?[a-z]+|[A-Z]+)(?:[-_.](?:[A-Za-z]?[a-z]+|[A-Z]+))*[-_.]?")
"""A secret or a piece of one like this may be meant as what it says, in another case or alone."""


class KnownSecrets:
    """Secrets, and the texts in which each of them may occur."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Prepare the search; its cost grows with the text alone."""
        exact, any_case = _Texts(), _Texts()
        for secret in secrets:
            spelled = spellings(secret)
            exact.add_whole(spelled)
            exact.add_whole(base64_cores(secret))
            if not _WORDS.fullmatch(secret):
                any_case.add_whole(text.lower() for text in spelled)
            for text in (secret, quote(secret, safe="")):
                exact.add_cut(text)
                any_case.add_cut(text.lower())
        self._exact, self._any_case = exact, any_case
        exact.prepare()
        any_case.prepare()

    def hidden(self, text: str) -> str:
        """Return a text with the secrets as ``***``."""
        spans = list(self._exact.spans(text))
        lowered = text.lower()
        if len(lowered) == len(text):  # lower case has another length for a few characters
            spans += self._any_case.spans(lowered)
        pieces, at = [], 0
        for begin, end in sorted(spans):
            if begin >= at:
                pieces += [text[at:begin], HIDDEN]
            at = max(at, end)
        return "".join([*pieces, text[at:]])


class _Texts:
    """What is looked for: whole texts, and texts that may be cut after a beginning."""

    def __init__(self) -> None:
        self._whole: set[str] = set()
        self._cut: dict[str, set[str]] = {}
        self._pattern: re.Pattern[str] | None = None
        self._beginnings: tuple[str, ...] = ()

    def add_whole(self, texts: Iterable[str]) -> None:
        self._whole.update(texts)

    def add_cut(self, text: str) -> None:
        if head := _head(text):
            self._cut.setdefault(head, set()).add(text)

    def prepare(self) -> None:
        texts = {text: re.escape(text) for text in self._cut}
        texts |= {text: _matching(text) for text in self._whole}
        self._beginnings = tuple({text[:_BEGINNING] for text in texts})
        ordered = sorted(texts, key=lambda text: (-len(text), text))  # the longest match first
        if ordered:
            self._pattern = re.compile("|".join(texts[text] for text in ordered))

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where the texts are; of one that is cut, as far as it goes."""
        if not any(one in text for one in self._beginnings):
            return  # most texts have none, and the pattern takes several times as long
        at = 0
        while self._pattern is not None and (found := self._pattern.search(text, at)):
            whole = self._cut.get(found[0], ())
            at = max((_end_of(one, text, found) for one in whole), default=found.end())
            yield found.start(), at


def _head(secret: str) -> str:
    """Return the shortest beginning by which a secret is known; empty if there is none."""
    for length in range(max(MIN_CUT, (len(secret) + 1) // 2), len(secret)):
        if not _WORDS.fullmatch(secret[:length]):
            return secret[:length]
    return ""


def _end_of(whole: str, text: str, found: re.Match[str]) -> int:
    end = found.end()
    for character in whole[end - found.start() :]:
        if text[end : end + 1] != character:
            break
        end += 1
    return end


def _matching(text: str) -> str:
    escaped = re.escape(text)
    if _WORD_LIKE.fullmatch(text):
        return rf"(?<![A-Za-z0-9_]){escaped}(?![A-Za-z0-9_])"
    return escaped
