"""The check of a workflow's result: node by node, and exact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perf_pipeline.targets.target import WrongResultError

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHOWN_CHARACTERS = 160


def check_outputs(outputs: Mapping[str, Any], answers: Mapping[str, Any]) -> None:
    """Compare what every node gave with what its inputs give.

    Args:
        outputs: Node name to its output; a node that did not run is absent.
        answers: Node name to the right output, in the order in which the nodes run.

    Raises:
        WrongResultError: A node's output is absent or not equal to the right one; names the
            first such node and shows the beginning of both.
    """
    for node, answer in answers.items():
        if node not in outputs:
            raise WrongResultError(f"node {node}: no result")
        if outputs[node] != answer:
            raise WrongResultError(
                f"node {node}: got {_shown(outputs[node])}, expected {_shown(answer)}"
            )


def _shown(value: object) -> str:
    text = repr(value)
    if len(text) <= _SHOWN_CHARACTERS:
        return text
    return f"{text[:_SHOWN_CHARACTERS]}... ({len(text)} characters)"
