"""The releases of a package that the configured package index offers, oldest first.

The index is asked through the simple repository API, as JSON (PEP 691) or, from an index that knows
no other form, as HTML (PEP 503). Which index that is, and through which proxy and certificate, is
what uv and pip would use (``package_index.py``): the first index that has the package counts.
"""

from __future__ import annotations

import base64
import json
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit, urlunsplit

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from perf_pipeline.errors import ScenarioError, TargetEnvironmentError
from perf_pipeline.loadgen.environment.index_page import IndexFile, read_html, read_json
from perf_pipeline.loadgen.environment.package_index import installer_variables, without_index
from perf_pipeline.loadgen.environment.packages import normalised

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PUBLIC_INDEX = "https://pypi.org/simple"
ASK_LIMIT_S = 25.0
"""Dagster gives a tick of a sensor 60 s."""

_JSON = "application/vnd.pypi.simple.v1+json"
_ACCEPT = f"{_JSON}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
_WHERE = "Is there a network, and a package index? (UV_DEFAULT_INDEX, PIP_INDEX_URL, proxies)"


@dataclass(frozen=True)
class Wanted:
    """Which releases count.

    Attributes:
        python: Version of the interpreter that they must support.
        since: Leave out those before it; None for none.
        pre_releases: Whether alpha, beta, development releases and release candidates count.
        yanked: Whether releases count that were withdrawn.
    """

    python: str
    since: str | None = None
    pre_releases: bool = False
    yanked: bool = False


def list_releases(package: str, wanted: Wanted, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Ask the configured index for the releases of a package.

    Args:
        package: Name of a distribution.
        wanted: Which releases count.
        environ: Names the index (see ``package_index``).

    Returns:
        Versions as a requirement would name them, oldest first; not empty.

    Raises:
        TargetEnvironmentError: No index answered, or the answer names no such release.
        ScenarioError: ``wanted.since`` is no version.
    """
    files = _files(package, environ)
    releases = select_releases(files, wanted)
    if not releases:
        since = f" from {wanted.since} on" if wanted.since else ""
        raise TargetEnvironmentError(
            f"The index has {len(files)} files of {package}, and no release{since} for Python "
            f"{wanted.python} among them; pre-releases and withdrawn ones do not count."
        )
    return releases


def select_releases(files: Iterable[IndexFile], wanted: Wanted) -> tuple[str, ...]:
    """Return the releases that have a file which counts, oldest first.

    Raises:
        ScenarioError: ``wanted.since`` is no version.
    """
    since = version_of(wanted.since, "--since") if wanted.since else None
    found = {
        file.version
        for file in files
        if (wanted.yanked or not file.is_yanked)
        and (wanted.pre_releases or not file.version.is_prerelease)
        and (since is None or file.version >= since)
        and _supports(file, wanted.python)
    }
    return tuple(map(str, sorted(found)))


def version_of(text: str, option: str) -> Version:
    """Return a version that a user wrote.

    Args:
        text: What was written.
        option: What the message calls it.

    Raises:
        ScenarioError: It is none.
    """
    try:
        return Version(text)
    except InvalidVersion as error:
        raise ScenarioError([f'{option} is {text!r}; a version is like "2.19.0".']) from error


def index_urls(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the addresses of the indexes in the order in which uv asks them, without a slash."""
    given = installer_variables(environ)
    extra = f"{given.get('UV_INDEX', '')} {given.get('UV_EXTRA_INDEX_URL', '')}".split()
    last = given.get("UV_DEFAULT_INDEX") or given.get("UV_INDEX_URL") or PUBLIC_INDEX
    return tuple(dict.fromkeys(_address(entry).rstrip("/") for entry in (*extra, last)))


def _address(entry: str) -> str:
    """Return the address of an index, which uv lets a name precede: ``internal=https://...``."""
    name, separator, address = entry.partition("=")
    return address if separator and "://" not in name else entry


def _supports(file: IndexFile, python: str) -> bool:
    try:
        return SpecifierSet(file.requires_python).contains(python, prereleases=True)
    except InvalidSpecifier:
        return True  # as pip: what cannot be read excludes nothing


def _files(package: str, environ: Mapping[str, str]) -> tuple[IndexFile, ...]:
    """Return the files of the first index that has the package."""
    if without_index(environ):
        raise TargetEnvironmentError(
            f"The releases of {package} are not known: pip is told to ask no index "
            "(PIP_NO_INDEX, or no-index in its configuration)."
        )
    opener = _opener(installer_variables(environ))
    problems = []
    for url in index_urls(environ):
        try:
            return _ask(f"{url}/{normalised(package)}/", package, opener)
        except urllib.error.HTTPError as error:
            problems.append(f"{url}: {error.code} {error.reason}")
            if error.code != HTTPStatus.NOT_FOUND:
                break  # it may have the package, which then hides that of the next index
        except (OSError, ValueError) as error:
            problems.append(f"{url}: {error}")
            break
    asked = "\n".join(problems)
    raise TargetEnvironmentError(
        f"The index did not say which releases of {package} there are.\n{asked}\n{_WHERE}"
    )


def _ask(url: str, package: str, opener: urllib.request.OpenerDirector) -> tuple[IndexFile, ...]:
    """Return what one index has; raises OSError or ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"}:
        raise ValueError(f"releases are asked for over http or https, and not {parts.scheme!r}")
    host = parts.netloc.rpartition("@")[2]
    headers = {"Accept": _ACCEPT}
    if parts.username is not None:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
    bare = urlunsplit((parts.scheme, host, parts.path, parts.query, ""))
    request = urllib.request.Request(bare, headers=headers)  # noqa: S310 - http or https
    with opener.open(request, timeout=ASK_LIMIT_S) as response:
        content = response.read()
        is_json = response.headers.get_content_type() == _JSON
    text = content.decode("utf-8", errors="replace")
    return read_json(json.loads(text), package) if is_json else read_html(text, package)


def _opener(variables: Mapping[str, str]) -> urllib.request.OpenerDirector:
    """Return what asks through the proxy and with the certificates of the installer."""
    every = variables.get("ALL_PROXY") or variables.get("all_proxy") or ""
    proxies = {
        scheme: variables.get(f"{scheme}_proxy")
        or variables.get(f"{scheme.upper()}_PROXY")
        or every
        for scheme in ("http", "https")
    }
    context = ssl.create_default_context(cafile=variables.get("SSL_CERT_FILE") or None)
    if variables.get("UV_INSECURE_HOST"):
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return urllib.request.build_opener(
        urllib.request.ProxyHandler({name: url for name, url in proxies.items() if url}),
        urllib.request.HTTPSHandler(context=context),
    )
