"""Reads the files of a ``.tar.gz`` one after the other and believes none of its headers.

Memory is bounded whatever the archive says. Python's ``tarfile`` reads an extended header as a
whole, however large, follows chains of them by recursion, and reads a map of holes for as long as
it goes on. Here a member is a plain file with at most one short extended header, which may hold
its name; anything else is refused.
"""

from __future__ import annotations

import os
import stat
import zlib
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from perf_pipeline.errors import PerfPipelineError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BLOCK = 512
MAX_EXTENDED_BYTES = 16 * 1024
_GZIP_MIN = 18
_READ = 64 * 1024
_CHUNK = 1 << 20
_FILE, _PAX, _LONG_NAME = (b"0", b"\0"), b"x", b"L"


class ArchiveError(PerfPipelineError):
    """An archive cannot be made, or must not be unpacked; the text names the member."""


@dataclass(frozen=True)
class Member:
    """One file of an archive.

    Attributes:
        name: As the archive has it; it may be hostile.
        size: Bytes, by its header.
        is_file: False for a link, a device, a folder and the like, whose content is not read.
    """

    name: str
    size: int
    is_file: bool


class ArchiveMembers:
    """The members of an archive, in their order."""

    def __init__(self, file: IO[bytes]) -> None:
        """Read nothing yet.

        Args:
            file: The compressed archive.
        """
        self._file = file
        self._inflate = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        self._ready = b""
        self._unread = 0
        self._padding = 0

    def next(self) -> Member | None:
        """Return the next member, None at the end; what was not read of the last is skipped.

        Raises:
            ArchiveError: It is not a tar archive, is cut short, or has a header that no archive of
                ours has.
        """
        for _ in self.content():
            pass
        name = ""
        header = self._exactly(BLOCK)
        if header[156:157] in (_PAX, _LONG_NAME):
            name, header = self._extended(header)
        if not any(header):
            return None
        _check_sum(header)
        is_file = header[156:157] in _FILE
        size = _size(header) if is_file else 0
        self._unread = -(-size // BLOCK) * BLOCK
        self._padding = self._unread - size
        name = name or _plain_name(header)
        return Member(name if is_file else name.rstrip("/"), size, is_file)

    def content(self) -> Iterator[bytes]:
        """Yield what is unread of the latest member, in pieces of at most a megabyte."""
        while self._unread > 0:
            piece = self._exactly(min(_CHUNK, self._unread))
            self._unread -= len(piece)
            yield piece[: len(piece) - self._padding] if not self._unread else piece

    def _extended(self, header: bytes) -> tuple[str, bytes]:
        """Return the name that an extended header gives to the next member, and its header."""
        _check_sum(header)
        size = _size(header)
        if size > MAX_EXTENDED_BYTES:
            raise ArchiveError(
                f"an extended header has {size:,} bytes; the maximum is {MAX_EXTENDED_BYTES:,}"
            )
        content = self._exactly(-(-size // BLOCK) * BLOCK)[:size]
        following = self._exactly(BLOCK)
        if following[156:157] in (_PAX, _LONG_NAME):
            raise ArchiveError("an extended header follows another one")
        name = _pax_path(content) if header[156:157] == _PAX else _text(content.rstrip(b"\0"))
        return name, following

    def _exactly(self, size: int) -> bytes:
        pieces = []
        while size > 0:
            if not self._ready:
                self._ready = self._more()
            pieces.append(self._ready[:size])
            self._ready = self._ready[size:]
            size -= len(pieces[-1])
        return b"".join(pieces)

    def _more(self) -> bytes:
        while not self._inflate.eof:
            data = self._inflate.unconsumed_tail or self._file.read(_READ)
            if not data:
                break
            try:
                if found := self._inflate.decompress(data, _CHUNK):
                    return found
            except zlib.error as error:
                raise ArchiveError(f"it is not gzip, or damaged: {error}") from error
        raise ArchiveError("it is cut short")


@contextmanager
def opened(archive: Path) -> Iterator[tuple[ArchiveMembers, int]]:
    """Open an archive.

    Yields:
        Its members, and its size in bytes.

    Raises:
        ArchiveError: It cannot be read as ``.tar.gz``; in the block, whatever is wrong with it.
    """
    try:
        descriptor = os.open(archive, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with ExitStack() as at_end:
            at_end.callback(os.close, descriptor)
            size = _size_of(descriptor)
            file = os.fdopen(descriptor, "rb", buffering=0, closefd=False)
            yield ArchiveMembers(file), size
    except OSError as error:
        raise ArchiveError(f"{archive} cannot be read as .tar.gz: {error}") from error


def _size_of(descriptor: int) -> int:
    """Return the size of a gzip file whose last bytes are those of a whole tar archive."""
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        raise OSError("it is not a regular file")
    if found.st_size < _GZIP_MIN or os.pread(descriptor, 2, 0) != b"\x1f\x8b":
        raise OSError("it is not gzip")
    # gzip ends with the length of the content, and a tar archive consists of whole blocks.
    if int.from_bytes(os.pread(descriptor, 4, found.st_size - 4), "little") % BLOCK:
        raise OSError("it is cut short, or something follows it")
    return found.st_size


def _check_sum(header: bytes) -> None:
    written = _octal(header[148:156])
    # The checksum counts itself as eight spaces.
    if written != sum(header) - sum(header[148:156]) + 8 * ord(" "):
        raise ArchiveError("it is not a tar archive, or damaged")


def _size(header: bytes) -> int:
    size = _octal(header[124:136])
    if size is None:
        raise ArchiveError("a member's size is not a plain number")
    return size


def _octal(field: bytes) -> int | None:
    digits = field.strip(b" \0")
    if not digits:
        return 0
    return int(digits, 8) if digits.isdigit() and not set(b"89") & set(digits) else None


def _plain_name(header: bytes) -> str:
    name = header[:100].partition(b"\0")[0]
    prefix = header[345:500].partition(b"\0")[0] if header[257:263] == b"ustar\0" else b""
    return _text(prefix + b"/" + name if prefix else name)


def _text(name: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError as error:
        raise ArchiveError(f"a member's name is not UTF-8: {name[:60]!r}") from error


def _pax_path(content: bytes) -> str:
    """Return the path that an extended header gives; empty if it has only times and the like."""
    path = ""
    while content:
        length, space, _ = content.partition(b" ")
        end = _decimal(length)
        record = content[len(length) + 1 : end]
        if not space or not length or end > len(content) or not record.endswith(b"\n"):
            raise ArchiveError("an extended header is malformed")
        key, _, value = record[:-1].partition(b"=")
        if key == b"path":
            path = _text(value)
        elif key not in (b"mtime", b"atime", b"ctime", b"uname", b"gname", b"uid", b"gid"):
            raise ArchiveError(f"an extended header has {_shown(key)}, which none of ours has")
        content = content[end:]
    return path


def _decimal(digits: bytes) -> int:
    return int(digits) if digits.isdigit() and len(digits) <= len(str(MAX_EXTENDED_BYTES)) else 0


def _shown(key: bytes) -> str:
    return repr(key[:40].decode(errors="replace"))
