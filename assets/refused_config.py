"""Run configuration and hours that Dagster refuses, in sentences and not as a traceback.

``dagster job execute -c FILE`` and ``dagster asset materialize -c FILE`` import the code location
and then check the configuration in the same process; nothing of Dagster's explains the error.
"""

import json
import re
import sys
from datetime import UTC, datetime
from difflib import get_close_matches
from types import TracebackType

import dagster as dg
from dagster._config.errors import (
    EvaluationError,
    FieldNotDefinedErrorData,
    RuntimeMismatchErrorData,
)

from assets.partitions.refused_hour import refused_hour
from perf_pipeline.config.scenario.target_spec import target_fields
from perf_pipeline.redaction.redact import redacted

REFUSED = "The run configuration is refused, and nothing was started: "
_EXPECTED = " Expected: "
"""What Dagster's message continues with: every field and its type, in one line."""

_FIELD = re.compile(r"(\w+)\?: ")


def explain_refused_config() -> None:
    """From now on, print what is wrong with a refused configuration or hour and no traceback."""
    before = sys.excepthook

    def explain(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if isinstance(error, dg.DagsterInvalidConfigError):
            sys.stderr.write("".join(f"{REFUSED}{one}\n" for one in refused_sentences(error)))
        elif isinstance(error, dg.DagsterInvalidSubsetError) and (
            sentence := refused_hour(sys.argv, datetime.now(UTC))
        ):
            sys.stderr.write(f"Nothing was started: {sentence}\n")
        else:
            before(kind, error, trace)

    sys.excepthook = explain


def refused_sentences(error: dg.DagsterInvalidConfigError) -> list[str]:
    """Return a sentence for each error: which field, its value, and what to write instead."""
    return [redacted(_sentence(one)) for one in error.errors]


def _sentence(error: EvaluationError) -> str:
    data = error.error_data
    field = error.stack.levels[-1] if error.stack.levels else ""
    if field == "target" and isinstance(data, RuntimeMismatchErrorData):
        return _about_target(data.value_rep.strip("'"))
    if isinstance(data, FieldNotDefinedErrorData):
        known = _FIELD.findall(error.message.partition(_EXPECTED)[2])
        offered = get_close_matches(data.field_name, known, n=1) or known
        return f'there is no field "{data.field_name}"; write one of: {", ".join(offered)}.'
    return error.message.partition(_EXPECTED)[0]


def _about_target(given: str) -> str:
    try:
        fields = target_fields(given)
    except ValueError as error:
        return f'target "{given}" {error}.'
    written = json.dumps(fields)[1:-1]
    return f'target "{given}" is in fields of its own: write {written}.'
