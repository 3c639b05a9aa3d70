"""A user's own function as a workflow: found by its name, with the servers in its environment.

The function is called with the workflow's number, and with its row where the workload has a data
file. It raises when the workflow failed; an ``AssertionError`` means that its result was wrong.
"""

from __future__ import annotations

import inspect
import logging
import os
import sys
from importlib import import_module
from operator import attrgetter
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import TYPE_CHECKING, Any, Literal

from perf_pipeline.config.data_file import rows_of
from perf_pipeline.samples.record import ErrorClass
from perf_pipeline.targets import classification
from perf_pipeline.workload.servers import connection_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perf_pipeline.targets.target import Job, ServerAccess

Form = Literal["callable", "callable_async"]
"""The target that takes a function, by its form: a plain one, or a coroutine function."""

_PREFIX = "PERF_PIPELINE_"
_LIBPQ_NAME = "PGAPPNAME"
_NEVER_RAN = (CoroutineType, GeneratorType, AsyncGeneratorType)


def load_functions(job: Job, form: Form) -> list[Callable[[int], Any]]:
    """Put the servers' URLs into the environment, then import the functions of a job's kinds.

    Connections that libpq makes (psycopg, SQLAlchemy) carry the run's name, by which those of the
    target are counted on PostgreSQL, unless they are given another. What a module does when it is
    imported, such as making an engine, is done once in each worker and before any load.

    Args:
        job: Its kinds are functions, ``module:function``.
        form: The target that asks.

    Returns:
        The function of each kind.

    Raises:
        ImportError: A module is not there, or cannot be imported.
        TypeError: What has the name cannot be called.
        ValueError: It has no such function, or one for the other target.
    """
    os.environ.update(server_environment(job.servers))
    os.environ.setdefault(_LIBPQ_NAME, connection_name(job.run_id))
    if job.log_detail:
        logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    return [
        with_rows(load_function(kind.family, form), rows_of(kind.data, kind.data_sha256))
        if kind.data
        else load_function(kind.family, form)
        for kind in job.kinds
    ]


def with_rows(function: Callable[..., Any], rows: Sequence[Any]) -> Callable[[int], Any]:
    """Return a function of the number that calls one of number and row.

    A row that is a dict is copied for each call, so that a function may change its own.
    """
    count = len(rows)

    def call(number: int) -> Any:
        row = rows[number % count]
        return function(number, row.copy() if isinstance(row, dict) else row)

    return call


def server_environment(servers: ServerAccess) -> dict[str, str]:
    """Return the environment variables with the servers' URLs, for a user's functions.

    ``PERF_PIPELINE_REDIS_URL`` and so on for each server that there is, and
    ``PERF_PIPELINE_CONNECTIONS``: how many connections this process may open to each of them.
    """
    urls = {
        f"{_PREFIX}{service.upper()}_URL": address.url
        for service, address in servers.addresses.items()
    }
    return {**urls, f"{_PREFIX}CONNECTIONS": str(servers.connections)}


def check_ran(function: str, answer: object) -> None:
    """Check that a function did its work, and did not only return a coroutine or generator.

    Raises:
        TypeError: It gave a coroutine or a generator, so nothing of its body has run.
    """
    if isinstance(answer, _NEVER_RAN):
        if isinstance(answer, CoroutineType):
            answer.close()  # Python would warn of each
        raise TypeError(
            f"{function} gave {_type_of(answer)} that nobody runs, so nothing was done: "
            'await coroutines, in a function with "async def" and target = "callable_async"'
        )


def _type_of(value: object) -> str:
    """Return the name of a value's type with its article: ``an int``."""
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def classify(error: BaseException) -> ErrorClass:
    """Return the error class of a function's exception.

    With an ``AssertionError`` the function reports that its result was wrong.
    """
    if isinstance(error, AssertionError):
        return ErrorClass.WRONG_RESULT
    return classification.classify(error)


def load_function(text: str, form: Form) -> Callable[[int], Any]:
    """Import one function and check that it has the target's form.

    Raises:
        ImportError, TypeError, ValueError: As ``load_functions``.
    """
    module_name, _, name = text.partition(":")
    if module_name == "__main__":
        raise ValueError(f"{text}: __main__ is the worker itself; name your function's module")
    try:
        module = import_module(module_name)
    except ImportError as error:
        raise ImportError(
            f"{text}: {module_name} cannot be imported ({error}). Is it in the folder that the "
            "scenario's python_path names, and does the target have the packages it needs?"
        ) from error
    try:
        function = attrgetter(name)(module)
    except AttributeError as error:
        where = getattr(module, "__file__", None) or repr(module)
        raise ValueError(f"{text}: {where} has no {name}") from error
    if not callable(function):
        raise TypeError(f"{text} is {_type_of(function)}, which cannot be called")
    _check_form(text, function, form)
    return function  # type: ignore[no-any-return] # whether it takes a number, its first call shows


def load_stage(text: str, form: Form) -> Callable[[], Any]:
    """Import a setup or teardown and check that it can be called as one.

    Raises:
        ImportError, TypeError, ValueError: As ``load_functions``; or it needs arguments.
    """
    function: Callable[..., Any] = load_function(text, form)
    try:
        inspect.signature(function).bind()
    except ValueError:  # a builtin, which shows no signature
        return function
    except TypeError as error:
        raise TypeError(f"{text} is called without arguments: {error}") from error
    return function


def _is_generator_function(function: object) -> bool:
    return inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)


def _check_form(text: str, function: Callable[..., Any], form: Form) -> None:
    called = function if inspect.isroutine(function) else type(function).__call__
    is_async = any(map(inspect.iscoroutinefunction, (function, called)))
    if any(map(_is_generator_function, (function, called))):
        raise ValueError(
            f"{text} is a generator, of which a call runs nothing: write a function that uses it"
        )
    if form == "callable" and is_async:
        raise ValueError(f'{text} is a coroutine function: use target = "callable_async"')
    if form == "callable_async" and not is_async:
        raise ValueError(f'{text} is not a coroutine function (async def): use target = "callable"')
