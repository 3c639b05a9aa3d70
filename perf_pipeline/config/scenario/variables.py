"""``[environment]``: the variables that a user's own functions find in their environment.

Workers have a minimal environment made from nothing, so that a run means the same in every
session. A scenario adds to it by value, or by name: then the value is that of the session that
starts the run, and it is stored nowhere.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from perf_pipeline.config.scenario.problems import Problems
from perf_pipeline.config.wording import did_you_mean, shown, with_article
from perf_pipeline.redaction.redact import remember_secrets

ENVIRONMENT = "environment"
"""The table of a scenario file."""
PASS = "pass"  # noqa: S105 a key
"""Its key with the names to pass through."""

MAX_VARIABLES = 100
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECRET = re.compile(
    r"password|passwd|passphrase|(^|_)pass(_|$)|pwd|secret|token|credential|private|"
    r"api_?key|access_?key|"
    r"(^|_)(auth|cookie|dsn|jwt|pat|salt|sig|signature)(_|$)|(^|_)key$|connection_?string",
    re.IGNORECASE,
)
_USER_IN_URL = re.compile(r"(?<=://)([^/?#\s]*|\S*:\S*)@")
"""Up to the last @, as a password may hold any character that should have been escaped."""
HIDDEN = "(hidden)"

_PUBLIC = frozenset(
    ["HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "PWD", "SHELL", "TERM", "TMPDIR", "TZ", "USER"]
)
"""Passed through, their values are no secrets: they stand in every path and message anyway."""

_PYTHON_ALLOWED = (
    "PYTHONASYNCIODEBUG",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONHASHSEED",
    "PYTHONINTMAXSTRDIGITS",
    "PYTHONMALLOC",
    "PYTHONTRACEMALLOC",
    "PYTHONUNBUFFERED",
    "PYTHONUTF8",
)
_OURS = "is set by perf_pipeline itself; a server is asked for with servers = [...]"
_IMPORTS = (
    "would change which modules a worker imports; name your folder in python_path, and another "
    "Python in interpreter"
)
_ASSERTS = "would remove every assert, and with them the check of results"
_PYTHON = (
    f"would change how the worker itself runs; allowed of Python are {', '.join(_PYTHON_ALLOWED)}"
)
_PRELOADED = (
    "loads code before the worker that can replace its clocks, sleep and threads, so its times "
    "would mean nothing; what must be preloaded belongs into a program that interpreter names"
)
_REFUSED = {
    r"PERF_PIPELINE_.*": _OURS,
    r"PYTHONPATH|PYTHONHOME|PYTHONPLATLIBDIR": _IMPORTS,
    r"PYTHONOPTIMIZE": _ASSERTS,
    r"PYTHON.*": _PYTHON,
    r"LD_PRELOAD|LD_AUDIT|LD_PROFILE|DYLD_.*": _PRELOADED,
}
"""Pattern of a name to why no such variable may be set; the first that matches counts."""


@dataclass(frozen=True)
class Variables:
    """The variables that a scenario adds to the environment of its workers.

    Attributes:
        values: Name to value, as written in the scenario.
        passed: Names whose value is that of the session that starts the run.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    passed: tuple[str, ...] = ()

    def resolved(self, session: Mapping[str, str]) -> dict[str, str]:
        """Return name to value; a passed name that the session lacks is left out.

        Args:
            session: Environment of the session that starts the run.
        """
        return {**self.values, **{name: session[name] for name in self.passed if name in session}}

    def stored(self) -> dict[str, str]:
        """Return the values as artefacts show them: none that may be a secret."""
        return {name: shown_value(name, value) for name, value in self.values.items()}

    @property
    def secret_names(self) -> tuple[str, ...]:
        """The variables whose values belong into no artefact."""
        written = (n for n, v in self.values.items() if shown_value(n, v) != v)
        return (*written, *(name for name in self.passed if name not in _PUBLIC))

    def secrets(self, session: Mapping[str, str]) -> tuple[str, ...]:
        """Return the values that belong into no artefact."""
        resolved = self.resolved(session)
        return tuple(resolved[name] for name in self.secret_names if name in resolved)


def shown_value(name: str, value: str) -> str:
    """Return a value for people and artefacts, hidden if name or value look like a secret."""
    if _SECRET.search(name):
        return HIDDEN
    return _USER_IN_URL.sub("***@", value)


def variable_problems(
    variables: Variables, session: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield name and problem of each variable that may not be set, or that is not there to pass.

    Args:
        variables: What was asked for.
        session: Environment of the session that starts the run.
    """
    for name in dict.fromkeys((*variables.values, *variables.passed)):
        if problem := _name_problem(name):
            yield name, problem
    for name, value in variables.values.items():
        if "\0" in value:
            yield name, "holds a NUL character, which no variable can."
        if name in variables.passed:
            yield name, f"is given a value and is in {PASS} as well; give one of the two."
    for name in variables.passed:
        if not _name_problem(name) and name not in session:
            near = did_you_mean(name, tuple(session))
            missing = "is to be passed through, but this session has no such variable; export it"
            yield name, f"{missing}, or leave it out of {PASS}{f' ({near})' if near else ''}."


def _name_problem(name: str) -> str:
    """Return why no variable of a name may be set; empty if it may."""
    if not _NAME.fullmatch(name):
        return "is not the name of a variable: letters, digits and _, no digit first."
    if name in _PYTHON_ALLOWED:
        return ""
    why = (why for pattern, why in _REFUSED.items() if re.fullmatch(pattern, name))
    return f"may not be set: it {found}." if (found := next(why, "")) else ""


def check_variables(table: object, session: Mapping[str, str], problems: Problems) -> Variables:
    """Read the table of a scenario file, and add a problem for each variable that is wrong.

    Args:
        table: What the file has as ``environment``.
        session: Environment of the session that reads it.
        problems: Receives the problems; none of them holds a value.
    """
    here = (ENVIRONMENT,)
    if not isinstance(table, dict):
        problems.at(here, f"is {shown(table)}; allowed is one table, written [{ENVIRONMENT}].")
        return Variables()
    if len(table) > MAX_VARIABLES:
        problems.at(here, f"has {len(table)} variables; the maximum is {MAX_VARIABLES}.")
        return Variables()
    values = {}
    for name, value in table.items():
        if name == PASS:
            continue
        if isinstance(value, str):
            values[name] = value
        else:
            kind = with_article(type(value).__name__)
            problems.at((*here, name), f'is {kind}; a value is a text, written {name} = "...".')
    variables = Variables(values, _passed(table.get(PASS, []), problems))
    remember_secrets(variables.secrets(session))
    for name, problem in variable_problems(variables, session):
        in_list = name in variables.passed and name not in values
        where = (*here, PASS) if in_list else (*here, name)
        problems.at(where, f"has {shown(name)}, which {problem}" if in_list else problem)
    return variables


def _passed(names: object, problems: Problems) -> tuple[str, ...]:
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        return tuple(dict.fromkeys(names))
    problems.at(
        (ENVIRONMENT, PASS),
        "is not a list of names; it names the variables of your session that workers get as well, "
        f'such as {PASS} = ["SHOP_TOKEN"].',
    )
    return ()
