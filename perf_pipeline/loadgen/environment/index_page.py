"""What a package index says of a package: its files, as JSON (PEP 691) or as HTML (PEP 503)."""

from __future__ import annotations

from dataclasses import dataclass
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from packaging.version import Version


@dataclass(frozen=True)
class IndexFile:
    """One file of a release.

    Attributes:
        version: The release.
        requires_python: The interpreters that it supports; empty for all.
        is_yanked: Whether it was withdrawn.
    """

    version: Version
    requires_python: str = ""
    is_yanked: bool = False


def read_json(page: Any, package: str) -> tuple[IndexFile, ...]:
    """Read the answer of an index that speaks JSON.

    Raises:
        ValueError: It is not of the form that PEP 691 describes.
    """
    try:
        rows = [
            (str(file["filename"]), file.get("requires-python") or "", bool(file.get("yanked")))
            for file in page["files"]
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"the answer is no list of files (PEP 691): {error!r}") from error
    return tuple(_files(rows, package))


def read_html(page: str, package: str) -> tuple[IndexFile, ...]:
    """Read the answer of an index that speaks HTML: a link a file."""
    links = _Links()
    links.feed(page)
    return tuple(_files(links.rows, package))


class _Links(HTMLParser):
    """Collects name, supported interpreters and withdrawal of each linked file."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[tuple[str, str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect a link."""
        given = dict(attrs)
        if tag != "a" or not given.get("href"):
            return
        name = unquote(urlsplit(given["href"] or "").path.rpartition("/")[2])
        self.rows.append((name, given.get("data-requires-python") or "", "data-yanked" in given))


def _files(rows: Iterable[tuple[str, str, bool]], package: str) -> Iterator[IndexFile]:
    """Yield the wheels and source archives of the package; other files are no releases."""
    for filename, requires_python, is_yanked in rows:
        try:
            name, version = (
                parse_wheel_filename(filename)[:2]
                if filename.endswith(".whl")
                else parse_sdist_filename(filename)
            )
        except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
            continue
        if name == canonicalize_name(package):
            yield IndexFile(version, requires_python, is_yanked)
