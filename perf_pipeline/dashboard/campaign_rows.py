"""The endurance campaigns of results folders as rows: what is stored of each, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from perf_pipeline.errors import RunFolderError
from perf_pipeline.report.endurance.stored_campaign import VERDICTS
from perf_pipeline.report.endurance.words import errors_cell, leak_cell, loss_cell, loss_text
from perf_pipeline.report.text import escape, quantity
from perf_pipeline.report.text.table import Cell
from perf_pipeline.samples.campaign.campaign_folder import PREFIX, CampaignFolder
from perf_pipeline.samples.campaign.verdicts import read_verdicts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from perf_pipeline.samples.campaign.verdicts import DegradationVerdict

_NOT_JUDGED = Cell("not judged yet", "quiet")
_LOSSES = ("degraded", "inconclusive", "proven_absent")


@dataclass(frozen=True)
class CampaignRow:
    """One campaign; every text is inert.

    Attributes:
        campaign_id: Its id.
        link: Address of its page; empty without one.
        begun: When, UTC.
        scenario: Its scenario.
        target: What executed the workflows.
        hours: How many have ended, of how many, and what they are evidence of.
        leak: The verdict on leaks.
        loss: The gravest verdict on the loss of a metric.
        errors: The verdict on the error ratio.
    """

    campaign_id: str
    link: str
    begun: str
    scenario: str
    target: str
    hours: Cell
    leak: Cell
    loss: Cell
    errors: Cell


class CampaignRows(NamedTuple):
    """The campaigns of results folders.

    Attributes:
        rows: Newest first.
        damaged: A sentence for each that cannot be read.
    """

    rows: tuple[CampaignRow, ...]
    damaged: tuple[str, ...]


def campaign_rows(results: Sequence[Path]) -> CampaignRows:
    """Read the campaigns of results folders; no sample is read, and nothing is judged."""
    rows: list[CampaignRow] = []
    damaged: list[str] = []
    for folder in results:
        for root in sorted(folder.glob(f"{PREFIX}*/")):
            if root.is_symlink() or not (root / "campaign.json").is_file():
                continue
            try:
                rows.append(_row(CampaignFolder(root)))
            except RunFolderError as error:
                damaged.append(escape.visible(error))
    rows.sort(key=lambda row: (row.begun, row.campaign_id), reverse=True)
    return CampaignRows(tuple(rows), tuple(damaged))


def _row(folder: CampaignFolder) -> CampaignRow:
    planned = folder.campaign()
    ended = sum(folder.hour_file(hour).exists() for hour in folder.begun_hours())
    judged = folder.root / VERDICTS
    found = read_verdicts(judged) if judged.exists() else None
    page = folder.root / "report.html"
    scaled = "" if planned.evidence == "real" else f" of {planned.hour_seconds:g} s"
    return CampaignRow(
        campaign_id=escape.name(planned.campaign_id),
        link=f"/{folder.root.name}/{page.name}" if page.is_file() else "",
        begun=quantity.moment(planned.begun_utc).removesuffix(" UTC"),
        scenario=escape.name(planned.scenario),
        target=escape.name(planned.target),
        hours=Cell(
            f"{ended} of {quantity.counted(planned.hours, 'hour')}",
            "plain" if ended >= planned.hours else "warn",
            f"{planned.evidence} hours{scaled}",
        ),
        leak=leak_cell(found.leak) if found else _NOT_JUDGED,
        loss=_loss(found.degradation) if found else _NOT_JUDGED,
        errors=errors_cell(found.errors.verdict) if found else _NOT_JUDGED,
    )


def _loss(verdicts: Sequence[DegradationVerdict]) -> Cell:
    if not verdicts:
        return _NOT_JUDGED
    worst = min(verdicts, key=lambda one: _LOSSES.index(one.verdict))
    cell = loss_cell(worst.verdict)
    return Cell(cell.text, cell.tone, f"{escape.name(worst.metric)}: {loss_text(worst)}")
