"""The template environment of every page: what a template prints is escaped and made visible."""

from __future__ import annotations

import jinja2
from markupsafe import Markup

from perf_pipeline.report.text import escape


def page_environment(*packages: str) -> jinja2.Environment:
    """Return the template environment; every printed value is escaped and made visible.

    Args:
        packages: Packages with templates of their own beside those of the reports.
    """
    names = (*packages, "perf_pipeline.report")
    return jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader(name) for name in names]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )


def _shown(value: object) -> object:
    """Spell out the invisible characters of every text that a template prints."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return escape.visible(value, length_max=100_000)


def page_script(environment: jinja2.Environment) -> Markup:
    """Return the script of a page, the only one that its Content-Security-Policy allows."""
    assert environment.loader is not None
    return Markup(environment.loader.get_source(environment, "report.js")[0])  # noqa: S704 - ours
