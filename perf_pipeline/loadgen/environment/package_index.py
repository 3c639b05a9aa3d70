"""The variables of uv and pip when they install for us: the user's package index, and no detours.

Which index, proxy, certificate and cache are used is the user's to say, in uv's variables, in
pip's, or in pip's configuration files; uv knows only its own, so it is told what pip would use.
What leads an installation to another place, interpreter or choice of versions is left out: ours
go into environments of their own, with the packages of a lock.

Imports the standard library alone: ``make setup`` runs this file, before anything is installed, as
``python -I package_index.py COMMAND...``, to run a command with these variables.
"""

from __future__ import annotations

import configparser
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_UV_KEPT = (
    "UV_CACHE_DIR", "UV_CONCURRENT_", "UV_CONFIG_FILE", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL",
    "UV_FIND_LINKS", "UV_HTTP_", "UV_INDEX", "UV_INSECURE_HOST", "UV_KEYRING_PROVIDER",
    "UV_LINK_MODE", "UV_NATIVE_TLS", "UV_NO_CACHE", "UV_NO_CONFIG", "UV_OFFLINE",
    "UV_REQUEST_TIMEOUT", "UV_SYSTEM_CERTS",
)  # fmt: skip
"""Beginnings of names: where uv gets packages from, and how."""

_PIP_KEPT = (
    "PIP_CACHE_DIR", "PIP_CERT", "PIP_CLIENT_CERT", "PIP_CONFIG_FILE", "PIP_DEFAULT_TIMEOUT",
    "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_KEYRING_PROVIDER",
    "PIP_NO_CACHE_DIR", "PIP_NO_INDEX", "PIP_PROXY", "PIP_RETRIES", "PIP_TIMEOUT",
    "PIP_TRUSTED_HOST",
)  # fmt: skip

_LEADING_ASTRAY = (
    "CONDA_PREFIX", "PYTHONHOME", "PYTHONPATH", "PYTHONUSERBASE", "VIRTUAL_ENV",
    "__PYVENV_LAUNCHER__",
)  # fmt: skip

_OF_PIP = {
    "UV_DEFAULT_INDEX": (("index-url",), ("UV_INDEX_URL",)),
    "UV_INDEX": (("extra-index-url",), ("UV_EXTRA_INDEX_URL",)),
    "UV_FIND_LINKS": (("find-links",), ()),
    "UV_INSECURE_HOST": (("trusted-host",), ()),
    "UV_HTTP_TIMEOUT": (("timeout", "default-timeout"), ("UV_REQUEST_TIMEOUT",)),
    "SSL_CERT_FILE": (("cert",), ("SSL_CERT_DIR",)),
    "SSL_CLIENT_CERT": (("client-cert",), ()),
    "ALL_PROXY": (("proxy",), ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy")),
}
"""Variable of uv to what pip calls it, and to other variables that say the same to uv."""

_COMMAS = "UV_FIND_LINKS"
_OFF = {"", "0", "false", "no", "off"}


def installer_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a process that installs packages for us.

    Args:
        environ: The user's; also names HOME, below which pip's configuration may be.
    """
    kept = {name: value for name, value in environ.items() if _is_passed_on(name)}
    settings = _pip_settings(environ)
    for variable, (names, others) in _OF_PIP.items():
        given = next((settings[name] for name in names if name in settings), "")
        if given and not any(kept.get(name) for name in (variable, *others)):
            kept[variable] = ("," if variable == _COMMAS else " ").join(given.split())
    # A configuration file may say otherwise, and empty variables do not count.
    kept |= {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0", "UV_PYTHON_DOWNLOADS": "never"}
    return kept


def without_index(environ: Mapping[str, str]) -> bool:
    """Return whether pip is told to ask no index; uv has no variable for it, but an option."""
    return _pip_settings(environ).get("no-index", "").lower() not in _OFF


def _is_passed_on(name: str) -> bool:
    if name.startswith("UV_"):
        return name.startswith(_UV_KEPT)
    if name.startswith("PIP_"):
        return name in _PIP_KEPT
    return name not in _LEADING_ASTRAY


def _pip_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return pip's settings of this user, by the names of its options; variables win."""
    found: dict[str, str] = {}
    for path in _pip_files(environ):
        parser = configparser.RawConfigParser()
        try:
            parser.read_string(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, configparser.Error):
            continue  # pip itself says what is wrong with it
        for section in ("global", "install"):
            if parser.has_section(section):
                found |= {name.replace("_", "-"): value for name, value in parser.items(section)}
    for name, value in environ.items():
        if name in _PIP_KEPT and value:
            found[name.removeprefix("PIP_").lower().replace("_", "-")] = value
    return found


def _pip_files(environ: Mapping[str, str]) -> list[Path]:
    """Return the files that pip reads, the last of which wins."""
    named = environ.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return []
    home = Path(environ.get("HOME") or "/")
    config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    files = [Path("/etc/pip.conf"), home / ".pip/pip.conf", config / "pip/pip.conf"]
    return [*files, Path(named)] if named else files


def main() -> None:
    """Run a command with the variables in place of this process."""
    command = sys.argv[1:]
    if without_index(os.environ) and "pip" in command and command[0].endswith("uv"):
        command.append("--no-index")
    environ = installer_variables(os.environ)
    try:
        os.execvpe(command[0], command, environ)
    except OSError as error:
        sys.exit(f"{command[0]} cannot be run: {error.strerror}")


if __name__ == "__main__":
    main()
