"""Locust's no-op user, block by block; runs in Locust's environment.

Each line of standard input is a user and a length in seconds, ``measured 0.5``; each answer is a
line of JSON: ``iterations``, ``wall_s``, ``cpu_s``. The process ends with its standard input.
"""

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402 gevent patches before anything else is imported
import sys  # noqa: E402
import time  # noqa: E402

import gevent  # noqa: E402
from locust import User, constant, task  # noqa: E402
from locust.env import Environment  # noqa: E402

WARM_UP_S = 0.1


class Measured(User):  # type: ignore[misc]
    """Does nothing, and has Locust measure it, as every user of Locust that measures does."""

    wait_time = constant(0)
    iterations = 0

    @task  # type: ignore[untyped-decorator] # its types are in its own environment
    def nothing(self) -> None:
        """Count one iteration and fire the event that Locust's statistics are made of."""
        begin_s = time.perf_counter()
        Measured.iterations += 1
        self.environment.events.request.fire(
            request_type="noop",
            name="noop",
            response_time=(time.perf_counter() - begin_s) * 1000,
            response_length=0,
            exception=None,
            context={},
        )


class Unmeasured(User):  # type: ignore[misc]
    """Does nothing, and nothing is measured."""

    wait_time = constant(0)
    iterations = 0

    @task  # type: ignore[untyped-decorator] # its types are in its own environment
    def nothing(self) -> None:
        """Count one iteration."""
        Unmeasured.iterations += 1


def play(user: type, length_s: float) -> dict[str, float]:
    """Run one user for a time, after a short warm-up."""
    environment = Environment(user_classes=[user])
    runner = environment.create_local_runner()
    runner.start(1, spawn_rate=100)
    gevent.sleep(WARM_UP_S)
    begin = user.iterations, time.perf_counter(), time.process_time()  # type: ignore[attr-defined]
    gevent.sleep(length_s)
    end = user.iterations, time.perf_counter(), time.process_time()  # type: ignore[attr-defined]
    runner.quit()
    iterations, wall_s, cpu_s = (b - a for a, b in zip(begin, end, strict=True))
    return {"iterations": iterations, "wall_s": wall_s, "cpu_s": cpu_s}


USERS = {"measured": Measured, "unmeasured": Unmeasured}

for line in sys.stdin:
    name, length = line.split()
    sys.stdout.write(json.dumps(play(USERS[name], float(length))) + "\n")
    sys.stdout.flush()
