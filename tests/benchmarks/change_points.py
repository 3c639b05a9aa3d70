"""How well the change points agree with those that people marked, as TCPDBench scores it.

``python -m tests.benchmarks.change_points FILE.jsonl``: one object a line with ``name``, ``value``
and ``annotations``, a list of indices for each annotator. A found point is right within five
values of one that any annotator marked; recall is the mean over the annotators; the start of the
series counts as a change point of everybody. It prints the mean F1, precision and recall of both
tiers, of a detector that finds nothing, and of each annotator against the others.

Source:
    van den Burg, Williams, "An Evaluation of Change Point Detection Algorithms", 2020,
    arXiv:2003.06222, section 4.2.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from perf_pipeline.analysis.change_points.find import find_change_points

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

MARGIN = 5
Score = tuple[float, float, float]


def true_positives(marked: Collection[int], found: Collection[int]) -> int:
    """Count marked points with a found one within the margin; a found one counts once."""
    left, hits = set(found), 0
    for point in sorted(marked):
        near = [(abs(point - one), one) for one in left if abs(point - one) <= MARGIN]
        if near:
            hits += 1
            left.discard(min(near)[1])
    return hits


def score(annotations: Mapping[str, Collection[int]], found: Collection[int]) -> Score:
    """Return F1, precision and recall of one series with at least one annotator."""
    marked = [{0, *points} for points in annotations.values()]
    all_found = {0, *found}
    precision = true_positives(set().union(*marked), all_found) / len(all_found)
    recall = sum(true_positives(one, all_found) / len(one) for one in marked) / len(marked)
    return 2.0 * precision * recall / (precision + recall), precision, recall


def mean_scores(series: list[dict[str, Any]], find: Callable[[dict[str, Any]], list[int]]) -> Score:
    """Return the mean of each figure over all series."""
    scores = np.array([score(one["annotations"], find(one)) for one in series])
    f1, precision, recall = scores.mean(axis=0)
    return float(f1), float(precision), float(recall)


def people(series: list[dict[str, Any]]) -> Score:
    """Return the mean score of one annotator against the others."""
    scores = []
    for one in series:
        for name, points in one["annotations"].items():
            others = {key: marks for key, marks in one["annotations"].items() if key != name}
            if others:
                scores.append(score(others, points))
    f1, precision, recall = np.array(scores).mean(axis=0)
    return float(f1), float(precision), float(recall)


def main(path: Path) -> None:
    """Print the scores of a labelled file and the time a series took."""
    series = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    spent_ms: list[float] = []

    def confirmed(one: dict[str, Any]) -> list[int]:
        started_s = time.process_time()
        found = find_change_points(one["value"])
        spent_ms.append(1e3 * (time.process_time() - started_s))
        return [point.index for point in found if point.tier == "confirmed"]

    def both(one: dict[str, Any]) -> list[int]:
        return [point.index for point in find_change_points(one["value"])]

    rows = {
        "confirmed": mean_scores(series, confirmed),
        "confirmed, even lines": mean_scores(series[::2], confirmed),
        "confirmed, odd lines": mean_scores(series[1::2], confirmed),
        "with the fast tier": mean_scores(series, both),
        "nothing found": mean_scores(series, lambda _one: []),
        "one annotator": people(series),
    }
    for name, (f1, precision, recall) in rows.items():
        print(f"{name:22} F1 {f1:.4f}  precision {precision:.4f}  recall {recall:.4f}")
    print(f"{len(series)} series, processor time: median {np.median(spent_ms):.1f} ms, ", end="")
    print(f"maximum {max(spent_ms):.1f} ms")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
