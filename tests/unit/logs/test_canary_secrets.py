"""No secret is in any log line, however it is written and wherever it stands."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from perf_pipeline.logs.log import Log, LogContext
from perf_pipeline.redaction import redact
from perf_pipeline.redaction.redact import Redactor

if TYPE_CHECKING:
    from pathlib import Path

CANARY = "c4n@ry/Secr€t#42?x"
URL = f"postgresql://perf:{quote(CANARY, safe='')}@db.example:5432/perf"
FORMS = {
    "raw": CANARY,
    "percent-encoded": quote(CANARY, safe=""),
    "escaped": json.dumps(CANARY)[1:-1],
    "base64 of a login": base64.b64encode(f"perf:{CANARY}".encode()).decode(),
    "base64": base64.b64encode(CANARY.encode()).decode(),
    "in a URL": URL,
    "cut short": CANARY[:12],
}


@pytest.fixture
def redactor(monkeypatch: pytest.MonkeyPatch) -> Redactor:
    """A process that knows the canary."""
    known = Redactor()
    known.remember_url(URL)
    monkeypatch.setattr("perf_pipeline.logs.ecs.redacted", known.text)
    monkeypatch.setattr("perf_pipeline.logs.ecs.redacted_values", known.values)
    return known


@pytest.mark.usefixtures("redactor")
@pytest.mark.parametrize("form", FORMS)
def test_no_form_of_a_secret_is_in_a_line(form: str, tmp_path: Path) -> None:
    """Message, exception with its cause, label and value; also where a line is cut."""
    text = FORMS[form]
    log = Log("run", LogContext(str(tmp_path), labels={"run_id": "r"})).open()
    log.write("info", "notice", f"connected to {text} at last")
    log.write("info", "notice", f"{'x' * 8000} {text} {'y' * 9000}")
    log.write("info", "notice", "n", labels={"workload": f"called with {text} once"})
    log.write("info", "notice", "n", fields={"error.message": text}, detail=f"a value of {text} ")
    try:
        try:
            raise ConnectionError(f"cannot reach {text} now")  # noqa: TRY301
        except ConnectionError as cause:
            raise RuntimeError(f"gave up on {text}") from cause
    except RuntimeError as error:
        log.write("error", "failed", str(error), error=error)
    log.close()
    content = (tmp_path / "run.jsonl").read_text(encoding="utf-8")
    decoded = content.encode().decode("unicode_escape", errors="replace")
    for written in (content, decoded, str([json.loads(one) for one in content.splitlines()])):
        for spelled in (*FORMS.values(), CANARY[:10]):
            assert spelled not in written
    assert content.count("***") >= 6


def test_secrets_of_the_process_are_those_that_are_hidden() -> None:
    """The formatter uses the process's own redactor, which settings and jobs fill."""
    assert redact.redacted == redact.REDACTOR.text
