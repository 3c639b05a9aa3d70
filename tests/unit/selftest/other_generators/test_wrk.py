"""What wrk prints, read."""

from __future__ import annotations

import pytest

from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.selftest.other_generators.wrk import parse_wrk

PRINTED = """\
Running 2s test @ http://127.0.0.1:40001/
  1 threads and 8 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    40.77ms   11.68ms  61.02ms   57.80%
    Req/Sec   195.90     24.51   232.00     70.00%
  Latency Distribution
     50%  950.00us
     75%   50.70ms
     90%   56.64ms
     99%    1.02s
  391 requests in 2.00s, 15.66KB read
Requests/sec:    195.32
Transfer/sec:      7.82KB
"""


def test_times_are_read_in_the_unit_that_wrk_chose_for_each() -> None:
    found = parse_wrk(PRINTED)

    assert found.percentiles_ms == pytest.approx({50: 0.95, 75: 50.7, 90: 56.64, 99: 1020.0})
    assert (found.requests, found.per_s) == (391, 195.32)


@pytest.mark.parametrize(
    "trouble",
    [
        "  Socket errors: connect 0, read 3, write 0, timeout 0\n",
        "  Non-2xx or 3xx responses: 5\n",
    ],
)
def test_a_load_with_failed_requests_is_no_account(trouble: str) -> None:
    with pytest.raises(PerfPipelineError, match=trouble.strip()[:12]):
        parse_wrk(PRINTED + trouble)


def test_anything_else_is_no_account() -> None:
    with pytest.raises(PerfPipelineError, match="unable to connect"):
        parse_wrk("unable to connect to 127.0.0.1:1 Connection refused")
