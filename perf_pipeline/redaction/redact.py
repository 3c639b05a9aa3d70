"""Removes the passwords that this process knows from what it stores or shows.

Secrets are remembered where they enter a process: the settings, a server that was started, the
job of a worker. They are a property of the process, as its environment is, so that no text can be
written by somebody who was not handed them.

Standard library only: the worker imports this.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from perf_pipeline.redaction.forms import without_known_forms
from perf_pipeline.redaction.known import KnownSecrets
from perf_pipeline.redaction.spellings import MIN_SECRET, url_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PLACEHOLDER = "password"
"""Of our own examples, and a word of every server's messages."""


class Redactor:
    """Replaces the secrets that it was told, and those that their context shows."""

    def __init__(self) -> None:
        """Know no secret."""
        self._secrets: frozenset[str] = frozenset()
        self._known = KnownSecrets(())

    @property
    def secrets(self) -> frozenset[str]:
        """What was remembered, for another process that writes texts of this one."""
        return self._secrets

    def remember_url(self, url: str) -> None:
        """Remember the secrets of a URL, which may be malformed."""
        self.remember(url_secrets(url))

    def remember(self, secrets: Iterable[str]) -> None:
        """Remember secrets; those that are too short to be told from other words are left out."""
        long = {secret for secret in secrets if len(secret) >= MIN_SECRET}
        new = long - self._secrets - {_PLACEHOLDER}
        if not new:
            return
        self._secrets = self._secrets | new
        self._known = KnownSecrets(self._secrets)

    def text(self, text: str) -> str:
        """Return a text with every secret as ``***``."""
        return without_known_forms(self._known.hidden(text))

    def holds_secret(self, content: bytes) -> bool:
        """Return whether a file's content holds a secret that was remembered."""
        text = content.decode("utf-8", errors="replace")
        return self._known.hidden(text) != text

    def values(self, value: Any) -> Any:
        """Return a JSON value with the secrets in its sentences and URLs as ``***``.

        A string without a blank and without ``://`` is a name of ours, and a password may equal
        it: there, only what its form shows to be a password is one.
        """
        if isinstance(value, str):
            is_name = " " not in value and "://" not in value
            return without_known_forms(value) if is_name else self.text(value)
        if isinstance(value, dict):
            return {key: self.values(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.values(inner) for inner in value]
        return value

    def error(self, error: BaseException) -> None:
        """Remove the secrets from an exception, from what caused it and from its notes, in place.

        Whoever prints or stores an exception prints its chain as well: Dagster, or Python itself.
        """
        visited: set[int] = set()
        links: list[BaseException | None] = [error]
        while links:
            link = links.pop()
            if link is None or id(link) in visited:
                continue
            visited.add(id(link))
            link.args = tuple(self.text(a) if isinstance(a, str) else a for a in link.args)
            for name in ("__notes__", "problems"):
                if isinstance(lines := getattr(link, name, None), list):
                    lines[:] = [self.text(one) if isinstance(one, str) else one for one in lines]
            links += [link.__cause__, link.__context__]


REDACTOR = Redactor()
"""Of this process."""

remember_url = REDACTOR.remember_url
remember_secrets = REDACTOR.remember
redacted = REDACTOR.text
redacted_values = REDACTOR.values


@contextmanager
def redacted_errors() -> Iterator[None]:
    """Remove the passwords from what the block raises, and from its whole chain, in place."""
    try:
        yield
    except BaseException as error:
        REDACTOR.error(error)
        raise
