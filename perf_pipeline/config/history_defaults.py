"""Defaults of histories, which options and forms show before any history is read."""

from __future__ import annotations

RUNS_MAX = 150
"""Maximum number of runs that a history is made of, the newest ones: of several scenarios each
needs a dozen for a change to be confirmed."""

RELEASE_SCENARIO = "release"
"""The scenario with which releases are measured unless another one is named."""
