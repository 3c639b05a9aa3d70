"""An hour and the verdicts of an endurance campaign as Dagster shows them."""

from collections.abc import Mapping

import dagster as dg

from assets.shown.charts import drawn
from assets.shown.tables import shown_table
from perf_pipeline.report.endurance import tables
from perf_pipeline.report.endurance.drawn import drawn_hours, drawn_signals
from perf_pipeline.report.endurance.growth import growth_lines
from perf_pipeline.report.endurance.stored_campaign import StoredCampaign
from perf_pipeline.report.text import escape
from perf_pipeline.report.text.quantity import rounded
from perf_pipeline.samples.campaign.campaign import Campaign
from perf_pipeline.samples.campaign.hour import Hour

CHARTS_MAX = 9
"""Signals in the metadata; the report has more."""

_PLOTTED = ("throughput_per_s", "p50_s", "p99_s", "error_ratio", "cpu_per_workflow_s")


def hour_metadata(campaign: Campaign, hour: Hour) -> Mapping[str, dg.MetadataValue]:
    """Return an hour as metadata of its partition: numbers for plots, gap, process, evidence."""
    numbers = {name: getattr(hour, name) for name in _PLOTTED}
    shown = {name: rounded(value) for name, value in numbers.items() if value is not None}
    counts = ("scheduled", "ok", "errors", "timeouts", "dropped", "abandoned")
    return {
        "campaign": dg.MetadataValue.text(campaign.campaign_id),
        "hour": dg.MetadataValue.int(hour.hour),
        "evidence": dg.MetadataValue.text(campaign.evidence),
        "hour_seconds": dg.MetadataValue.float(campaign.hour_seconds),
        "boot_id": dg.MetadataValue.text(escape.name(hour.boot_id)),
        "ended": dg.MetadataValue.text(escape.visible(hour.ended_because)),
        "begun_s": dg.MetadataValue.float(rounded(hour.begun_s, 6)),
        "ended_s": dg.MetadataValue.float(rounded(hour.ended_s, 6)),
        "gap_before_s": dg.MetadataValue.float(rounded(hour.gap_before_s)),
        **{name: dg.MetadataValue.int(getattr(hour, name)) for name in counts},
        **{name: dg.MetadataValue.float(value) for name, value in shown.items()},
    }


def verdict_metadata(stored: StoredCampaign) -> Mapping[str, dg.MetadataValue]:
    """Return the verdicts of a campaign, with its tables and charts."""
    found = stored.verdicts
    leaks = () if found is None else found.leaks
    growth = {
        f"growth per hour of {escape.name(one.name)}": dg.MetadataValue.float(
            rounded(one.growth_per_hour)
        )
        for one in leaks
        if one.growth_per_hour is not None
    }
    grown = "\n".join(f"- {escape.markdown(line)}" for line in growth_lines(stored))
    return {
        "evidence": dg.MetadataValue.text(stored.basis),
        "hours": dg.MetadataValue.int(len(stored.hours)),
        "leak": dg.MetadataValue.text("not judged" if found is None else found.leak),
        "leaks": shown_table(tables.leaks_table(stored)),
        **({"places that grew": dg.MetadataValue.md(grown)} if grown else {}),
        "degradation": shown_table(tables.losses_table(stored)),
        "breaks and gaps": shown_table(tables.interruptions_table(stored)),
        "hours side by side": drawn(drawn_hours(stored)),
        "signals": drawn(drawn_signals(stored)[:CHARTS_MAX]),
        **growth,
    }
