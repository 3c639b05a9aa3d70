"""An answer of the control API that is no success, in the words of Toxiproxy."""

from __future__ import annotations

from http import HTTPStatus


class ApiError(Exception):
    """A request that is refused.

    Attributes:
        status: Of the HTTP answer.
    """

    def __init__(self, text: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        """Take the text, which the answer repeats, and the status."""
        super().__init__(text)
        self.status = status


def bad_body(reason: object) -> ApiError:
    """Return the error of a body that is not what the request needs."""
    return ApiError(f"bad request body: {reason}")


def missing(field: str) -> ApiError:
    """Return the error of a body without a field that it must have."""
    return ApiError(f"missing required field: {field}")
