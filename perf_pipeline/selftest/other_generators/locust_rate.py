"""Locust at a fixed rate against one URL; runs in Locust's environment.

``python locust_rate.py URL USERS RATE_PER_S LENGTH_S`` prints one line of JSON: ``begin_ns`` and
``end_ns`` (CLOCK_MONOTONIC) of what was measured, ``requests``, ``failures``, and the percentiles
``p50_ms``, ``p90_ms``, ``p99_ms`` as Locust gives them.
"""

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402 gevent patches before anything else is imported
import sys  # noqa: E402
import time  # noqa: E402

import gevent  # noqa: E402
from locust import FastHttpUser, constant_throughput, task  # noqa: E402
from locust.env import Environment  # noqa: E402

WARM_UP_S = 0.5

url, users, rate_per_s, length_s = sys.argv[1], *map(float, sys.argv[2:5])


class Visitor(FastHttpUser):  # type: ignore[misc]
    """Asks for one page, as often as its share of the rate says."""

    host = url.rstrip("/")
    wait_time = constant_throughput(rate_per_s / users)

    @task  # type: ignore[untyped-decorator] # its types are in its own environment
    def get(self) -> None:
        """Ask once."""
        self.client.get("/")


environment = Environment(user_classes=[Visitor])
runner = environment.create_local_runner()
runner.start(int(users), spawn_rate=1000)
gevent.sleep(WARM_UP_S)
environment.stats.reset_all()
begin_ns = time.monotonic_ns()
gevent.sleep(length_s)
end_ns = time.monotonic_ns()
total = environment.stats.total
results = {
    "begin_ns": begin_ns,
    "end_ns": end_ns,
    "requests": total.num_requests,
    "failures": total.num_failures,
    **{f"p{q}_ms": total.get_response_time_percentile(q / 100) for q in (50, 90, 99)},
}
runner.quit()
sys.stdout.write(json.dumps(results) + "\n")
