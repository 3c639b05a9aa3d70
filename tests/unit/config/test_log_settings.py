"""The address that logs are shipped to."""

from __future__ import annotations

import pytest

from perf_pipeline.config.log_settings import LOGS_URL, read_log_settings


@pytest.mark.parametrize(
    ("url", "wrong"),
    [
        ("http://host:9200", ""),
        ("https://elastic:p%40ss@[::1]:9200/logs", ""),
        ("ftp://host:9200", "another scheme"),
        ("http://", "no host"),
        ("http://u:secret-1@host:port", "host or port"),
        ("http://u:secret-1@host:65536", "host or port"),
        ("http://host:0", "port 0"),
    ],
)
def test_a_wrong_address_is_bad_input_that_names_the_part(url: str, wrong: str) -> None:
    """A port that is no number was a defect of ours (exit code 70) when logs were shipped."""
    problems: list[str] = []
    assert read_log_settings({LOGS_URL: url}, problems).url == url
    assert len(problems) == bool(wrong)
    assert all(wrong in one and LOGS_URL in one and "secret-1" not in one for one in problems)
