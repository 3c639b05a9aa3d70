"""A campaign as Markdown: the answers and tables of the page, without charts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.report.endurance import tables
from perf_pipeline.report.endurance.answers import answers
from perf_pipeline.report.endurance.growth import TITLE, growth_lines
from perf_pipeline.report.endurance.page import in_short, title
from perf_pipeline.report.run.markdown import answer_on_top, markdown_table
from perf_pipeline.report.text.escape import markdown as inert

if TYPE_CHECKING:
    from perf_pipeline.report.endurance.stored_campaign import StoredCampaign


def render_markdown(stored: StoredCampaign) -> str:
    """Return a campaign as Markdown, every text of unknown origin escaped."""
    found = answers(stored)
    before = (
        tables.hours_table(stored),
        tables.interruptions_table(stored),
        tables.leaks_table(stored),
    )
    grown = [f"- {inert(sentence)}" for sentence in growth_lines(stored)]
    after = (
        tables.losses_table(stored),
        tables.changes_table(stored),
        tables.resources_table(stored),
    )
    blocks = [
        f"# {inert(title(stored))}",
        f"Campaign {inert(stored.campaign.campaign_id)}",
        " · ".join(map(inert, in_short(stored))),
        *map(answer_on_top, found),
        "\n".join(f"- {inert(sentence)}" for one in found for sentence in one.rest),
        *map(markdown_table, before),
        *([f"**{TITLE}**", "\n".join(grown)] if grown else []),
        *map(markdown_table, after),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"
