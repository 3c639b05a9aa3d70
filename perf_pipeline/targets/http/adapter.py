"""Requests to a server behind HTTP, each sent and answered in the thread of a slot.

The client is urllib3's connection, without its pool: a slot has at most one request in flight, so
it keeps one connection to each server. No redirect is followed and nothing is sent a second time:
one workflow is one request, and what the server answered to it is what is measured.
"""

from __future__ import annotations

import http.client
import os
import ssl
from http import HTTPStatus
from typing import TYPE_CHECKING

import urllib3

from perf_pipeline.samples.record import ErrorClass
from perf_pipeline.steps import NO_WORKFLOW, count, set_workflow, workflow_of
from perf_pipeline.targets import classification
from perf_pipeline.targets.http.connections import Connections
from perf_pipeline.targets.http.prepared_request import FailedStatusError, PreparedRequest

if TYPE_CHECKING:
    from perf_pipeline.targets.target import Job, Slot, Target

OPENED = "connections opened"
"""Count of the connections that a request had to open: 1, or 0 where one was kept alive."""

FAILED = "answers with status"
"""Begins the name of the count of answers by which the server failed, one for each status."""

_OF_STATUS: dict[int, ErrorClass] = {
    HTTPStatus.REQUEST_TIMEOUT: ErrorClass.TIMEOUT,
    HTTPStatus.GATEWAY_TIMEOUT: ErrorClass.TIMEOUT,
    HTTPStatus.TOO_MANY_REQUESTS: ErrorClass.RESOURCE_EXHAUSTION,
    HTTPStatus.SERVICE_UNAVAILABLE: ErrorClass.RESOURCE_EXHAUSTION,
    HTTPStatus.INSUFFICIENT_STORAGE: ErrorClass.RESOURCE_EXHAUSTION,
}
"""What a server says of itself (RFC 9110, RFC 6585, RFC 4918); any other failure is its own."""

_NO_ANSWER = (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError)
"""There is no connection, it ended within the answer, or what was received is not HTTP."""


def open_target(job: Job) -> Target:
    """Prepare the requests of ``job``; nothing is sent.

    Raises:
        ValueError: A kind has no request, or a variable that a header names is missing or cannot
            be the value of a header.
        OSError: The file of certificates cannot be read.
    """
    return HttpTarget(job)


def classify(error: BaseException) -> ErrorClass:
    """Return the error class of a request's exception."""
    if isinstance(error, FailedStatusError):
        return _OF_STATUS.get(error.status, ErrorClass.WORKFLOW_ERROR)
    found = classification.classify(error)
    is_unanswered = found is ErrorClass.WORKFLOW_ERROR and isinstance(error, _NO_ANSWER)
    return ErrorClass.CONNECTION if is_unanswered else found


class HttpTarget:
    """The requests of a job, shared by the threads; each thread has its own connections."""

    def __init__(self, job: Job) -> None:
        self._requests = [
            PreparedRequest(kind.family, kind.request, job.seed, os.environ) for kind in job.kinds
        ]
        self._context: ssl.SSLContext | None = None
        if any(request.is_tls for request in self._requests):
            self._context = ssl.create_default_context()
            if ca_file := str(job.settings.get("ca_file", "")):
                self._context.load_verify_locations(ca_file)

    def open_slot(self) -> Slot:
        """Make the connections of one thread; none is opened yet."""
        return HttpSlot(self._requests, Connections(self._context))

    def close(self) -> None:
        """Do nothing: connections end with the process."""


class HttpSlot:
    """One thread's connections."""

    def __init__(self, requests: list[PreparedRequest], connections: Connections) -> None:
        self._requests = requests
        self._connections = connections

    def execute(self, kind: int, number: int) -> None:
        """Send one request, wait for the whole answer and check it.

        Raises:
            FailedStatusError: The answer says that the server failed.
            WrongResultError: The answer is not the right one.
            Exception: There was no whole answer; ``classify`` says why.
        """
        request = self._requests[kind]
        set_workflow(workflow_of(kind, number))
        opened = self._connections.opened
        try:
            status, body = self._connections.send(request, number)
            request.check(number, status, body)
        except FailedStatusError as error:
            count(f"{FAILED} {error.status}", 1)
            raise
        finally:
            count(OPENED, self._connections.opened - opened)
            if number < 0:  # this thread goes on with other things
                set_workflow(NO_WORKFLOW)
