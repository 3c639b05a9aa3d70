"""A run configuration that Dagster refuses is explained in sentences, without a traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from assets.definitions import defs
from assets.refused_config import refused_sentences
from tests.assets.conftest import config_file

if TYPE_CHECKING:
    from tests.sandbox import Sandbox


def refused(**fields: Any) -> list[str]:
    """Return what is said of a configuration of the job for any scenario."""
    config = {"resources": {"load_run_resource": {"config": fields}}}
    with pytest.raises(dg.DagsterInvalidConfigError) as error:
        dg.validate_run_config(defs.resolve_job_def("scenario"), config)
    return refused_sentences(error.value)


def test_a_target_with_its_release_in_one_text_is_told_in_fields() -> None:
    """The text of the command line, and of run.json before there were fields for it."""
    (sentence,) = refused(target="kailash==2.19.0+pandas")
    assert sentence == (
        'target "kailash==2.19.0+pandas" is in fields of its own: write "target": "kailash", '
        '"target_version": "2.19.0", "target_packages": ["pandas"].'
    )


def test_a_target_or_field_that_does_not_exist_is_told_with_those_that_do() -> None:
    (wrong,) = refused(target="kailsh")
    assert wrong.startswith('target "kailsh" names no target; there are callable, ')
    assert refused(duration_s=5) == ['there is no field "duration_s"; write one of: duration.']
    (many,) = refused(concurrency=["many"])
    assert "concurrency[0]" in many
    assert '"many"' in many


@pytest.mark.integration
def test_the_command_of_dagster_ends_with_the_sentence_alone(sandbox: Sandbox) -> None:
    config = config_file(sandbox, "baseline", target="kailash==2.19.0")
    ran = sandbox.dagster("job", "execute", "-j", "scenario", "-c", config)
    assert ran.returncode == 1
    assert ran.stdout.splitlines()[-1] == (
        "The run configuration is refused, and nothing was started: "
        'target "kailash==2.19.0" is in fields of its own: write "target": "kailash", '
        '"target_version": "2.19.0".'
    )
    assert "Traceback" not in ran.stdout
