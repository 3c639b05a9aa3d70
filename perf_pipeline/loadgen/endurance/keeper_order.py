"""What a keeper is started with; it goes through a pipe, for the URLs of servers have passwords."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perf_pipeline.config.settings import current_settings

if TYPE_CHECKING:
    from perf_pipeline.config.settings import Settings

_FOLDERS = ("results_dir", "cache_dir", "state_dir", "temp_dir", "lock_path")


@dataclass(frozen=True)
class KeeperOrder:
    """What a keeper is started with.

    Attributes:
        campaign: The campaign's folder.
        boot_id: Of the target that it starts.
        wait_s: How long to wait for another load run on this host to end.
        settings: Where things are.
    """

    campaign: Path
    boot_id: str
    wait_s: float
    settings: Settings

    def to_json(self) -> bytes:
        """Return it for ``order_of``."""
        own: dict[str, Any] = {name: str(getattr(self.settings, name)) for name in _FOLDERS}
        values = {
            "campaign": str(self.campaign),
            "boot_id": self.boot_id,
            "wait_s": self.wait_s,
            "folders": own,
            "urls": dict(self.settings.urls),
            "search_path": self.settings.search_path,
            "mongodb_stand_in": self.settings.mongodb_stand_in,
        }
        return json.dumps(values).encode()


def order_of(content: bytes) -> KeeperOrder:
    """Read an order; what it does not say is a setting of this process."""
    values = json.loads(content)
    folders: dict[str, Any] = {name: Path(path) for name, path in values["folders"].items()}
    settings = replace(
        current_settings(),
        urls=values["urls"],
        search_path=values["search_path"],
        mongodb_stand_in=values["mongodb_stand_in"],
        **folders,
    )
    return KeeperOrder(Path(values["campaign"]), values["boot_id"], values["wait_s"], settings)
