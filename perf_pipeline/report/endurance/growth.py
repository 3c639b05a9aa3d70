"""What a second arm with traced allocations says of a campaign that leaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.report.allocations.sentences import growth_headline, growth_sentences

if TYPE_CHECKING:
    from perf_pipeline.report.endurance.stored_campaign import StoredCampaign

TITLE = "What grew"


def growth_in_short(stored: StoredCampaign) -> str:
    """Return in a sentence which place grew; empty where the campaign does not leak."""
    if stored.growth is not None:
        return growth_headline(stored.growth)
    if stored.verdicts is None or stored.verdicts.leak != "leak":
        return ""
    return (
        "The places in the code that grew were not looked for: perf-pipeline allocations "
        f"endurance-{stored.campaign.campaign_id} does so."
    )


def growth_lines(stored: StoredCampaign) -> tuple[str, ...]:
    """Return all that the second arm found, and how; nothing where the campaign does not leak."""
    found = stored.growth
    if found is None:
        in_short = growth_in_short(stored)
        return (in_short,) if in_short else ()
    if found.problem:
        return growth_sentences(found)
    played = (
        f"A second arm played the campaign's workflows once more, {found.in_flight} in flight, "
        "with allocations traced; it counts in no verdict."
    )
    return (*growth_sentences(found), played)
