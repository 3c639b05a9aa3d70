"""What happened to the failures of a level, as the injector wrote it: ``faults.jsonl``.

One JSON object a line, appended as it happens, so that a killed injector leaves what it saw.
``read_faults`` puts the lines of each window together.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from perf_pipeline.config.fault.fault_window import FaultWindow, SettingValue
from perf_pipeline.samples.journal_tail import NO_END_NS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FAULTS_FILE = "faults.jsonl"
MIN_EVIDENCE_SHARE = 0.95
"""A failure that was in effect for less of its window is ``invalid`` (design.md, *Verdicts*)."""

Step = Literal[
    "planned",
    "refused",
    "not_possible",
    "injecting",
    "in_effect",
    "undoing",
    "gone",
    "failed",
    "sign",
]


@dataclass(frozen=True)
class SignRecord:
    """One observation of a failure.

    Attributes:
        at_ns: When it began, monotonic.
        in_effect: It acted.
        value: What was observed.
        text: The same for people.
    """

    at_ns: int
    in_effect: bool
    value: float
    text: str


@dataclass(frozen=True)
class FaultRecord:
    """One window, and what became of it.

    Attributes:
        number: Its place in the scenario, from 0.
        window: What was asked for.
        injecting_ns: When ``inject`` was called; None if never. As the next three monotonic.
        in_effect_ns: First sign of its effect.
        undoing_ns: When ``undo`` was called.
        gone_ns: First sign that it was gone, with the state as before.
        reason: Why it was refused or failed; empty if neither.
        signs: The observations between ``injecting_ns`` and ``undoing_ns``.
        is_possible: False where no run on this machine can have it, for the reason given.
    """

    number: int
    window: FaultWindow
    injecting_ns: int | None = None
    in_effect_ns: int | None = None
    undoing_ns: int | None = None
    gone_ns: int | None = None
    reason: str = ""
    signs: tuple[SignRecord, ...] = field(default=())
    is_possible: bool = True

    @property
    def evidence_share(self) -> float:
        """Share of the declared window in which signs say that it was in effect, 0 to 1.

        A sign holds until the next one, half a second at most; the last until ``undoing_ns``.
        """
        if self.undoing_ns is None:
            return 0.0
        return min(1.0, max(0, self.evidence_ns(self.undoing_ns)) / (self.window.duration_s * 1e9))

    def evidence_ns(self, until_ns: int) -> int:
        """Return how long signs say that it was in effect, until a moment after the last one."""
        ends_ns = [sign.at_ns for sign in self.signs[1:]] + [until_ns]
        return sum(
            min(end_ns - sign.at_ns, _HOLDS_NS)
            for sign, end_ns in zip(self.signs, ends_ns, strict=False)
            if sign.in_effect
        )

    @property
    def is_valid(self) -> bool:
        """It was in effect for at least ``MIN_EVIDENCE_SHARE`` of its window."""
        return self.evidence_share >= MIN_EVIDENCE_SHARE


_HOLDS_NS = 500_000_000


def line(number: int, step: Step, at_ns: int, **values: object) -> str:
    """Return a line of the log, with its end."""
    return json.dumps({"fault": number, "step": step, "at_ns": at_ns, **values}) + "\n"


def read_faults(folder: Path, until_ns: int = NO_END_NS) -> list[FaultRecord]:
    """Return the windows of a level's folder, in their order; a torn last line is passed over.

    Args:
        folder: The level's.
        until_ns: What happened later is left out, CLOCK_MONOTONIC.
    """
    path = folder / FAULTS_FILE
    if not path.exists():
        return []
    found: dict[int, dict[str, object]] = {}
    signs: dict[int, list[SignRecord]] = {}
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            entry: Mapping[str, object] = json.loads(text)
        except ValueError:
            continue
        if entry["step"] == "planned" or int(entry["at_ns"]) <= until_ns:  # type: ignore[call-overload]
            _take(entry, found, signs)
    return [
        FaultRecord(number, signs=tuple(signs.get(number, ())), **values)  # type: ignore[arg-type]
        for number, values in sorted(found.items())
    ]


def _take(
    entry: Mapping[str, object],
    found: dict[int, dict[str, object]],
    signs: dict[int, list[SignRecord]],
) -> None:
    number, step, at_ns = entry["fault"], entry["step"], entry["at_ns"]
    assert isinstance(number, int)
    assert isinstance(at_ns, int)
    if step == "planned":
        window: Mapping[str, SettingValue] = entry["window"]  # type: ignore[assignment]
        found[number] = {"window": FaultWindow(**window)}  # type: ignore[arg-type]
    elif step == "sign":
        values = {name: entry[name] for name in ("in_effect", "value", "text")}
        signs.setdefault(number, []).append(SignRecord(at_ns, **values))  # type: ignore[arg-type]
    elif step in {"refused", "failed", "not_possible"}:
        found[number]["reason"] = entry["reason"]
        found[number]["is_possible"] = step != "not_possible"
    else:
        found[number].setdefault(f"{step}_ns", at_ns)
