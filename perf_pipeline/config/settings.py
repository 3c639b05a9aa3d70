"""Paths and addresses on this machine: the only reader of the environment.

=============================  ==================================================================
PERF_PIPELINE_<SERVICE>_URL    the user's own server, for each row of ``services.py``, such as
                               ``PERF_PIPELINE_REDIS_URL=redis://host:6379/0``
PERF_PIPELINE_MONGODB_STANDIN  ``nx-27017``: used where there is no MongoDB; for tests
PERF_PIPELINE_RESULTS          folder of the runs (default: ``results`` in the current folder)
PERF_PIPELINE_CATALOGUE_URL    PostgreSQL database of the catalogue of runs and baselines, such as
                               ``postgresql://host/perf`` (default: a file in the results folder)
PERF_PIPELINE_NOISE            ``tell``: other programs share this machine; noise is reported and
                               invalidates no level (default: ``judge``)
PERF_PIPELINE_LOAD_LOCK        file whose lock one load run at a time has (default: one a host);
                               for runs that cannot take each other's cores, such as in cpusets
PERF_PIPELINE_DAGSTER          ``off``: runs from Python are not recorded in Dagster's history
PERF_PIPELINE_LOGS_URL         Elasticsearch or OpenSearch of `perf-pipeline ship-logs`, such as
                               ``http://elastic:password@host:9200``
PERF_PIPELINE_KIBANA_URL       Kibana that it sets up
PERF_PIPELINE_ALERT_...        where alerts are sent: ``alert_settings.py``
PERF_PIPELINE_SCRAPE_DIR       folder in which Prometheus looks for runs: each serves its live
                               metrics and says there where (default: that of ``perf-pipeline
                               start --monitoring``, once that was started)
PERF_PIPELINE_EXPORTER_LISTEN  where it serves them, ``address[:port]`` (default: 127.0.0.1 and a
                               free port)
PERF_PIPELINE_STACK_NAME       name of the Compose project whose servers are used where it runs
                               (default: ``perf_pipeline``)
PERF_PIPELINE_STACK_ENV        file with its passwords (default: ``infra/.env`` of the checkout)
PERF_PIPELINE_STACK_FILES      its Compose files, separated by ``:`` (default: infra/compose.yaml)
DOCKER_HOST                    the Docker engine that runs it (default: /var/run/docker.sock)
PERF_PIPELINE_REPORTS_URL, ... addresses of web pages that ours link to: ``page_settings.py``
PERF_PIPELINE_REPORTS_PORT     where ``make ui`` serves reports, and links lead (default: 3001)
XDG_CACHE_HOME, HOME           target environments are cached below
XDG_STATE_HOME, HOME           state of the servers of ``perf-pipeline start`` is below
TMPDIR                         data folders of servers that we start
PATH                           where programs are looked for
=============================  ==================================================================
"""

from __future__ import annotations

import difflib
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from perf_pipeline.config import (
    alert_settings,
    log_settings,
    monitoring_settings,
    page_settings,
    stack_settings,
)
from perf_pipeline.config.server_url import complete_server_url
from perf_pipeline.config.services import SERVICES
from perf_pipeline.config.stack_ports import COMPOSE_VARIABLES
from perf_pipeline.config.wording import listed
from perf_pipeline.errors import PerfPipelineError, ScenarioError
from perf_pipeline.redaction.redact import remember_secrets, remember_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.config.services import ServiceSpec

PROJECT = Path(__file__).parents[2]
"""The folder that holds the package: the root of a checkout."""

_PREFIX = "PERF_PIPELINE_"
_STAND_IN = f"{_PREFIX}MONGODB_STANDIN"
_STAND_INS = ("nx-27017",)
_NOISE = f"{_PREFIX}NOISE"
_LOAD_LOCK = f"{_PREFIX}LOAD_LOCK"
_REPORTS_PORT = f"{_PREFIX}REPORTS_PORT"
REPORTS_PORT, _PORTS = 3001, 65536
_DAGSTER = f"{_PREFIX}DAGSTER"
_RECORDED = ("on", "off")
CHECKED_RUN = f"{_PREFIX}CHECKED_RUN"
FAILURE_NOTE = f"{_PREFIX}FAILURE_NOTE"
"""Both are set by the command line alone, for the Dagster run that it starts."""
_SET_BY_US = (CHECKED_RUN, FAILURE_NOTE, f"{_PREFIX}CONNECTIONS")
"""The last is for users' functions, which may call us."""
_READ_BY_OTHERS = (*_SET_BY_US, *COMPOSE_VARIABLES)

NoiseHandling = Literal["judge", "tell"]
_NOISES: tuple[NoiseHandling, ...] = ("judge", "tell")
RESULTS = f"{_PREFIX}RESULTS"
_CATALOGUE_URL = f"{_PREFIX}CATALOGUE_URL"
SHARDS_URL = f"{_PREFIX}SHARDS_URL"
_SHARDS_SCHEMES = ("redis://", "rediss://", "unix://")
_CATALOGUE_SCHEMES = ("postgresql://", "postgres://")
_OTHER_VARIABLES = (
    *(_STAND_IN, _NOISE, _LOAD_LOCK, _REPORTS_PORT, RESULTS, _DAGSTER),
    _CATALOGUE_URL,
    SHARDS_URL,
    *alert_settings.VARIABLES,
    *log_settings.VARIABLES,
    *monitoring_settings.VARIABLES,
    *stack_settings.VARIABLES,
    *page_settings.VARIABLES,
)

_DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"
_PASSWORD_VARIABLES = ("PGPASSWORD", "PGSSLPASSWORD", "MYSQL_PWD", "REDISCLI_AUTH")
"""Of the servers' own clients; a driver may read them, and repeat them in an error."""


@dataclass(frozen=True)
class Settings:
    """Paths and addresses on this machine.

    Attributes:
        urls: Service to the URL that the user gave, complete with port and database. Services
            without one are not in it.
        results_dir: Folder of the runs.
        cache_dir: Target environments, which can be made again.
        state_dir: State of the servers of ``perf-pipeline start``, and leases on servers.
        temp_dir: Data folders of servers that end with their run.
        lock_path: File whose lock allows one load run a host; may not exist yet.
        search_path: Folders of programs, as in PATH.
        mongodb_stand_in: What may be started where there is no MongoDB: ``nx-27017``, or None.
        noise: ``judge``: a level beside which others used the machine is ``noisy_host``; ``tell``:
            noise is reported with causes and figures, and decides nothing. A fact of the machine,
            not of a scenario; in every run's manifest.
        reports_port: Where the reports are beside the Dagster UI.
        is_recorded: Runs from Python are recorded in Dagster's history, where there is one.
        checked_run: File with the run that the command line has checked
            (``loadgen/checked_run.py``); None in a process that it did not start.
        current_dir: What paths in the URLs are relative to.
        failure_note: File in which that process notes its failure (``program/failure_note.py``);
            likewise.
        catalogue_url: PostgreSQL database of the catalogue; None for a file in ``results_dir``.
        shards_url: Redis at which the shards of a run meet; None for the one that runs use.
        alerts: Where alerts are sent.
        monitoring: How a run serves its live metrics.
        stack: Where the running Compose stack is looked for.
        logs: Where logs are shipped to.
        pages: Addresses of web pages that ours link to.
    """

    urls: Mapping[str, str]
    results_dir: Path
    cache_dir: Path
    state_dir: Path
    temp_dir: Path
    lock_path: Path
    search_path: str
    mongodb_stand_in: str | None = None
    noise: NoiseHandling = "judge"
    reports_port: int = REPORTS_PORT
    is_recorded: bool = True
    checked_run: Path | None = None
    current_dir: Path = field(default_factory=Path.cwd)
    failure_note: Path | None = None
    catalogue_url: str | None = None
    shards_url: str | None = None
    alerts: alert_settings.AlertSettings = field(default_factory=alert_settings.AlertSettings)
    logs: log_settings.LogSettings = field(default_factory=log_settings.LogSettings)
    monitoring: monitoring_settings.MonitoringSettings = field(
        default_factory=monitoring_settings.MonitoringSettings
    )
    stack: stack_settings.StackSettings = field(default_factory=stack_settings.StackSettings)
    pages: page_settings.PageSettings = field(default_factory=page_settings.PageSettings)

    @property
    def scrape_dir(self) -> Path | None:
        """Folder in which a Prometheus looks for runs; None where nobody would scrape them."""
        started = self.state_dir / "scrape"
        return self.monitoring.scrape_dir or (started if started.is_dir() else None)


def read_settings(
    environ: Mapping[str, str], *, current_dir: Path | None = None, system_temp: Path | None = None
) -> Settings:
    """Read the settings from the environment.

    Args:
        environ: ``os.environ``, or a substitute.
        current_dir: What relative folders are relative to; default: the current folder.
        system_temp: Temporary folder that all users share; default: ``/tmp`` if there is one.
            The lock is there regardless of TMPDIR: otherwise runs of two users would overlap.

    Raises:
        ScenarioError: With every malformed setting, and every variable with our prefix that is
            none.
        PerfPipelineError: A folder in the temporary folder belongs to somebody else.
    """
    _remember_secrets(environ)
    problems = _unknown(environ)
    urls = {}
    for name, spec in SERVICES.items():
        if environ.get(spec.url_variable):
            urls[name] = _checked_url(spec, environ[spec.url_variable], problems)
    stand_in = environ.get(_STAND_IN) or None
    if stand_in is not None and stand_in not in _STAND_INS:
        problems.append(f"{_STAND_IN} is {stand_in!r}; it must be {' or '.join(_STAND_INS)}.")
    noise = environ.get(_NOISE) or "judge"
    if noise not in _NOISES:
        problems.append(f"{_NOISE} is {noise!r}; it must be {' or '.join(_NOISES)}.")
    reports_port = environ.get(_REPORTS_PORT) or str(REPORTS_PORT)
    if not (reports_port.isdecimal() and 0 < int(reports_port) < _PORTS):
        problems.append(f"{_REPORTS_PORT} is {reports_port!r}; ports are 1 to 65535.")
    dagster = environ.get(_DAGSTER) or "on"
    if dagster not in _RECORDED:
        problems.append(f"{_DAGSTER} is {dagster!r}; it must be {' or '.join(_RECORDED)}.")
    catalogue_url = environ.get(_CATALOGUE_URL) or None
    if catalogue_url is not None and not catalogue_url.startswith(_CATALOGUE_SCHEMES):
        problems.append(f"{_CATALOGUE_URL} must be like postgresql://user:password@host/database.")
    shards_url = _shards_url(environ, problems)
    alerts = alert_settings.read_alert_settings(environ, problems)
    load_lock = Path(environ.get(_LOAD_LOCK) or "/").expanduser()
    if not (load_lock.is_absolute() and load_lock.parent.is_dir()):
        problems.append(f"{_LOAD_LOCK} is {load_lock}: it must be a file in a folder that exists.")
    here = current_dir or current_folder()
    monitoring = monitoring_settings.read_monitoring_settings(environ, here, problems)
    logs = log_settings.read_log_settings(environ, problems)
    pages = page_settings.read_page_settings(environ, problems)
    temp = here / (environ.get("TMPDIR") or tempfile.gettempdir())
    problems += _unusable_temp(temp)
    if problems:
        raise ScenarioError(problems)
    shared = system_temp or Path("/tmp")  # noqa: S108 - only a lock without contents lies there
    home = Path(environ.get("HOME") or "/nonexistent")
    return Settings(
        urls=urls,
        results_dir=here / (environ.get(RESULTS) or "results"),
        cache_dir=_writable(environ.get("XDG_CACHE_HOME"), home, ".cache", temp),
        state_dir=_writable(environ.get("XDG_STATE_HOME"), home, ".local/state", temp),
        temp_dir=temp,
        lock_path=load_lock
        if environ.get(_LOAD_LOCK)
        else (shared if os.access(shared, os.W_OK) else temp) / "perf_pipeline-load.lock",
        search_path=environ.get("PATH") or _DEFAULT_PATH,
        mongodb_stand_in=stand_in,
        noise=cast("NoiseHandling", noise),
        reports_port=int(reports_port),
        is_recorded=dagster == "on",
        checked_run=Path(environ[CHECKED_RUN]) if environ.get(CHECKED_RUN) else None,
        current_dir=here,
        failure_note=Path(environ[FAILURE_NOTE]) if environ.get(FAILURE_NOTE) else None,
        catalogue_url=catalogue_url,
        shards_url=shards_url,
        alerts=alerts,
        monitoring=monitoring,
        stack=stack_settings.read_stack_settings(environ, here, PROJECT),
        logs=logs,
        pages=pages,
    )


def current_settings() -> Settings:
    """Read the settings of this process."""
    return read_settings(os.environ)


def _remember_secrets(environ: Mapping[str, str]) -> None:
    """Have passwords in the environment removed from every text of this process from now on."""
    for spec in SERVICES.values():
        remember_url(environ.get(spec.url_variable, ""))
    remember_url(environ.get(_CATALOGUE_URL, ""))
    remember_url(environ.get(SHARDS_URL, ""))
    alert_settings.remember_alert_secrets(environ)
    remember_secrets(environ[name] for name in _PASSWORD_VARIABLES if name in environ)


def variables() -> tuple[str, ...]:
    """Return the settings that users may set, with a URL for each service; the README has each."""
    return (*(spec.url_variable for spec in SERVICES.values()), *_OTHER_VARIABLES)


def _unknown(environ: Mapping[str, str]) -> list[str]:
    """Return a problem for each variable with our prefix that is no setting."""
    known = variables()
    return [
        f"{name} is not a setting and would be ignored: "
        + (f"write {near[0]}." if near else f"unset it. Settings are {listed(known)}.")
        for name in sorted(environ)
        if name.startswith(_PREFIX) and environ[name] and name not in (*known, *_READ_BY_OTHERS)
        for near in [difflib.get_close_matches(name, known, n=1, cutoff=0.85)]
    ]


def _shards_url(environ: Mapping[str, str], problems: list[str]) -> str | None:
    """Return where the shards of a run meet; add what is wrong with it."""
    url = environ.get(SHARDS_URL) or None
    if url is not None and not url.startswith(_SHARDS_SCHEMES):
        problems.append(f"{SHARDS_URL} must be like redis://:password@host:6379/0.")
    return url


def _checked_url(spec: ServiceSpec, url: str, problems: list[str]) -> str:
    """Return the URL with port and database filled in; add what is wrong with it."""
    complete, faults = complete_server_url(spec, url)
    if faults:
        name, example = spec.url_variable, spec.example_url
        problems.append(f"{name} {' and '.join(faults)}: write it like {example}.")
    return complete


def current_folder() -> Path:
    """Return the folder that the user is in; PerfPipelineError if it was removed."""
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        raise PerfPipelineError(
            "the current folder was removed: change to one that exists"
        ) from error


def _unusable_temp(folder: Path) -> list[str]:
    """Return the problem of a folder for temporary files that cannot be written to.

    Python would use another one without a word, and servers would not start.
    """
    try:
        with tempfile.TemporaryFile(dir=folder):
            return []
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        fix = "name a folder that you may write to, or unset it."
        return [f"TMPDIR is {folder}, in which no file can be made ({why}): {fix}"]


def _writable(configured: str | None, home: Path, below: str, temp: Path) -> Path:
    """Return a folder of ours that can be written to; without a usable home, in ``temp``.

    A user like ``nobody`` has a home that does not exist, and must still be able to run.
    """
    # The XDG specification says to ignore a relative path.
    is_configured = bool(configured) and Path(configured or "").is_absolute()
    chosen = Path(configured or "") if is_configured else home / below
    existing = chosen
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    # A home that does not exist is a user's without one; root could make it, and must not.
    has_place = is_configured or home.is_dir()
    if has_place and existing.is_dir() and os.access(existing, os.W_OK | os.X_OK):
        return chosen / "perf_pipeline"
    folder = temp / f"perf_pipeline-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    # In a folder that all may write to, somebody else could have made it first.
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise PerfPipelineError(
            f"{folder} belongs to another user, so nothing can be written there.\n"
            f"Set HOME to a folder that you may write to (now {home}).",
        )
    return folder / Path(below).name.removeprefix(".")
