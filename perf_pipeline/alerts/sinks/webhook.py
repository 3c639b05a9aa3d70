"""A webhook that takes Slack's messages: Slack, Mattermost, Rocket.Chat, Discord (``/slack``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.alerts.sinks.http_post import post_json
from perf_pipeline.redaction.redact import redacted

if TYPE_CHECKING:
    from perf_pipeline.alerts.notice import Notice

_GREEN, _ORANGE, _RED = "#2e7d32", "#ef6c00", "#c62828"
_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
"""What Slack reads as markup; a name is not ours, and must neither link nor call anybody."""


class WebhookSink:
    """Posts a message for each notice."""

    name = "webhook"
    takes_acknowledgements = False

    def __init__(self, url: str) -> None:
        """Post to a URL, which is a secret."""
        self._url = url

    def send(self, notice: Notice) -> None:
        """Post a message."""
        post_json(self.name, self._url, slack_message(notice))


def slack_message(notice: Notice) -> dict[str, object]:
    """Return a notice as Slack's incoming webhooks take it."""
    colour = _ORANGE if notice.alert.tier == "fast" else _RED
    title = redacted(notice.title).translate(_ESCAPED)
    text = redacted("\n".join(notice.lines)).translate(_ESCAPED)
    return {
        "text": title,
        "attachments": [
            {
                "color": _GREEN if notice.event == "cleared" else colour,
                "fallback": title,
                "text": text,
            }
        ],
    }
