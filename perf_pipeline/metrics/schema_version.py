"""The version of ``metrics.json``: its types are not needed to know it."""

from __future__ import annotations

SCHEMA_VERSION = 1
