"""The page of a campaign: one HTML file that opens offline and loads nothing."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import TYPE_CHECKING

from perf_pipeline.report.endurance import tables
from perf_pipeline.report.endurance.answers import answers
from perf_pipeline.report.endurance.growth import growth_lines
from perf_pipeline.report.page_environment import page_environment, page_script
from perf_pipeline.report.text import escape, quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.report.charts.chart import Chart
    from perf_pipeline.report.endurance.stored_campaign import StoredCampaign


def render_html(
    stored: StoredCampaign, hour_charts: Sequence[Chart], signal_charts: Sequence[Chart]
) -> str:
    """Return the page.

    Args:
        stored: Any value may be missing, and any text may be hostile.
        hour_charts: As ``drawn_hours`` returns them.
        signal_charts: As ``drawn_signals`` returns them.
    """
    environment = page_environment()
    script = page_script(environment)
    not_drawn = len(stored.signal_names) - len(signal_charts)
    return environment.get_template("endurance.html.jinja").render(
        script=script,
        script_hash=f"sha256-{b64encode(sha256(script.encode()).digest()).decode()}",
        title=title(stored),
        campaign_id=stored.campaign.campaign_id,
        made=in_short(stored),
        verdicts=answers(stored),
        hours=tables.hours_table(stored),
        hour_charts=hour_charts,
        interruptions=tables.interruptions_table(stored),
        leaks=tables.leaks_table(stored),
        growth=growth_lines(stored),
        losses=tables.losses_table(stored),
        changes=tables.changes_table(stored),
        signal_charts=signal_charts,
        not_drawn=quantity.counted(not_drawn, "further signal") if not_drawn else "",
        resources=tables.resources_table(stored),
    )


def title(stored: StoredCampaign) -> str:
    """Return the heading: the scenario and the target."""
    planned = stored.campaign
    return f"{escape.name(planned.scenario)} on {escape.name(planned.target)}: endurance"


def in_short(stored: StoredCampaign) -> list[str]:
    """Return phrases on what was played."""
    planned = stored.campaign
    return [
        f"evidence: {stored.basis}",
        f"{quantity.counted(planned.hours, 'hour')} planned",
        f"{quantity.rate(planned.rate_per_s)}, constant",
        f"{quantity.count(planned.workflows_per_hour)} workflows an hour",
        f"begun {quantity.moment(planned.begun_utc)}",
        f"seed {planned.seed}",
    ]
