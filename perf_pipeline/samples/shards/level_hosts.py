"""Where the level of a run on several machines has what was sampled of each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_FOLDER = "hosts"


def host_folder(level: Path, place: int) -> Path:
    """Return the folder of a machine in that of a level.

    Args:
        level: The level's.
        place: The machine's, among those of the run.
    """
    return level / _FOLDER / f"{place:03d}"
