"""From the ``[[requests]]`` tables of a scenario file to workloads, with every problem of them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from perf_pipeline.config.http.header_checks import header_problems
from perf_pipeline.config.http.http_request import PLACEHOLDERS, SCHEMES, HttpRequest
from perf_pipeline.config.http.known_servers import KNOWN_SERVERS
from perf_pipeline.config.scenario.scenario import Workload
from perf_pipeline.config.wording import did_you_mean, listed, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from urllib.parse import SplitResult

    from perf_pipeline.config.scenario.positions import KeyPath
    from perf_pipeline.config.scenario.problems import Problems
    from perf_pipeline.config.scenario.variables import Variables

REQUESTS = "requests"
"""The table of a scenario file."""

_PLACEHOLDER = re.compile(r"\{[a-z_]+\}")


def requests_of(
    tables: list[dict[str, Any]],
    variables: Variables,
    session: Mapping[str, str],
    problems: Problems,
) -> tuple[Workload, ...]:
    """Make a workload of each table; its family is the name of the request.

    Args:
        tables: Values that fit their keys.
        variables: Those that headers may name.
        session: Environment of the session that reads the file.
        problems: Receives what is wrong.
    """
    names: set[str] = set()
    workloads = []
    for index, table in enumerate(tables):
        here: KeyPath = (REQUESTS, index)
        name = table["name"]
        if name in names and problems.is_good((*here, "name")):
            problems.at(
                (*here, "name"),
                f"is {shown(name)} for the second time; give each request its own name.",
            )
        names.add(name)
        request = _request(table, here, variables, session, problems)
        workloads.append(Workload(name, "", table.get("weight", 1.0), request=request))
    return tuple(workloads)


def _request(
    table: dict[str, Any],
    here: KeyPath,
    variables: Variables,
    session: Mapping[str, str],
    problems: Problems,
) -> HttpRequest:
    values = {name: value for name, value in table.items() if name not in {"name", "weight"}}
    headers = values.pop("headers", {})
    expected = values.pop("expect_json", None)
    if server := KNOWN_SERVERS.get(values.pop("server", "")):
        values = {"method": server.method, **values, "url": server.url(values["url"])}
        given = {name.lower() for name in headers}
        headers = {**{n: v for n, v in server.headers if n.lower() not in given}, **headers}
        expected = server.expect_json if expected is None else expected
    if problems.is_good((*here, "url")):
        for text in _url_problems(values["url"]):
            problems.at((*here, "url"), text)
    for name, text in header_problems(headers, variables, session):
        problems.at((*here, "headers", name), text)
    for name in ("url", "body", "expect_text"):
        for text in _placeholder_problems(values.get(name, ""), is_url=name == "url"):
            problems.at((*here, name), text)
    if expected is not None:
        try:
            values["expect_json"] = json.dumps(expected)
        except (TypeError, ValueError):
            tail = "holds a date or time, which JSON does not have; write it as text."
            problems.at((*here, "expect_json"), tail)
    fitting = ((name, value) for name, value in headers.items() if isinstance(value, str))
    return HttpRequest(headers=tuple(fitting), **values)


def _url_problems(url: str) -> Iterator[str]:
    """Yield what is wrong with a URL, which is not repeated: it may hold a password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        yield f"is no URL ({error}); write it like http://127.0.0.1:8000/execute."
        return
    if parts.scheme not in SCHEMES or not parts.hostname or port == 0:
        yield "is no URL of a web server; write it like http://127.0.0.1:8000/execute."
        return
    if "@" in parts.netloc:
        yield (
            "holds a user, which every log would repeat; give the header Authorization with the "
            'value "Basic ${NAME}", and pass the variable in [environment].'
        )
    if "${" in url:
        yield "holds ${, but only values of headers name variables: a URL is in every log."
    yield from _part_problems(url, parts)


def _part_problems(url: str, parts: SplitResult) -> Iterator[str]:
    if "{" in parts.netloc:
        yield "has a placeholder in its host; allowed are they in the path and the query."
    if parts.fragment:
        yield "has a fragment (#), which is never sent; leave it out."
    if not url.isascii() or " " in url:
        yield "has a blank or a letter outside of ASCII; write those as %20 and so on."


def _placeholder_problems(template: str, *, is_url: bool) -> Iterator[str]:
    """Yield a misspelt placeholder; braces of another meaning, as in JSON, stay.

    A URL has none of these: every name in braces that is no placeholder is a mistake.
    """
    for found in dict.fromkeys(_PLACEHOLDER.findall(template)):
        if found not in PLACEHOLDERS and (is_url or did_you_mean(found, PLACEHOLDERS)):
            yield f"holds {found}; placeholders are {listed(PLACEHOLDERS)}."
