"""How the packages of two environments differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NAMED_MAX = 6


@dataclass(frozen=True)
class PackageMoves:
    """How the packages of a later environment differ from those of an earlier one.

    Attributes:
        removed: Packages that only the earlier one has, as ``name version``.
        added: Packages that only the later one has, likewise.
        changed: Packages with another version, as ``name earlier -> later``.
    """

    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.removed or self.added or self.changed)

    @property
    def summary(self) -> str:
        """Everything that differs in one line, the first names of each list."""
        lists = (("removed", self.removed), ("added", self.added), ("changed", self.changed))
        return "; ".join(f"{what}: {_named(names)}" for what, names in lists if names)


def package_moves(earlier: Mapping[str, str], later: Mapping[str, str]) -> PackageMoves:
    """Compare the packages of two environments: each is name to version."""
    both = sorted(set(earlier) & set(later))
    return PackageMoves(
        removed=tuple(f"{one} {earlier[one]}" for one in sorted(set(earlier) - set(later))),
        added=tuple(f"{one} {later[one]}" for one in sorted(set(later) - set(earlier))),
        changed=tuple(
            f"{one} {earlier[one]} -> {later[one]}" for one in both if earlier[one] != later[one]
        ),
    )


def _named(names: Sequence[str]) -> str:
    more = len(names) - _NAMED_MAX
    return ", ".join(names[:_NAMED_MAX]) + (f" and {more} more" if more > 0 else "")
