"""The pages of the dashboard by their addresses, made from what results folders hold.

Stored pages are served as they are: of a run (``/RUN/report.html``, ``/RUN/capacity.html``), of a
campaign (``/endurance-ID/report.html``), of a comparison, a profile or a history.
"""

from __future__ import annotations

import re
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from perf_pipeline.dashboard.campaign_rows import campaign_rows
from perf_pipeline.dashboard.catalogue_rows import catalogue_rows
from perf_pipeline.dashboard.chosen_comparison import comparison_page, stored_page
from perf_pipeline.dashboard.linked_pages import OtherPage
from perf_pipeline.dashboard.monitoring_seen import MonitoringSeen
from perf_pipeline.dashboard.newest_findings import newest_findings
from perf_pipeline.dashboard.page_answer import PageAnswer, redirect, report_policy
from perf_pipeline.dashboard.run_filter import RunFilter, filtered_runs
from perf_pipeline.dashboard.run_rows import run_rows
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.report.comparison.index_rows import comparison_rows
from perf_pipeline.report.page_environment import page_environment
from perf_pipeline.report.text import escape
from perf_pipeline.report.trend.index_rows import trend_rows
from perf_pipeline.samples.run_file import read_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import jinja2

    from perf_pipeline.dashboard.live_runs import LiveRuns

_NAME = "[A-Za-z0-9][A-Za-z0-9_.-]*"
_STORED = re.compile(
    rf"/(?:({_NAME})/((?:report|capacity)\.html)|(comparisons|profiles|trends)/({_NAME}\.html))"
)
_FIELDS_MAX = 20
"""Fields of an address that are read."""
_CHOICES_MAX = 500
"""Runs that can be chosen for a comparison, the newest ones."""
_TEMPLATES = Path(__file__).parent / "templates"
_NOT_HERE = (
    "There is no such page or report in the results folders that are shown here. For the runs of "
    "another folder: perf-pipeline dashboard --results FOLDER"
)

Query = dict[str, str]


class Site:
    """What the dashboard shows.

    Attributes:
        public_host: The name by which readers reach it beside its addresses; None for none.
    """

    def __init__(
        self,
        folders: Callable[[], Sequence[Path]],
        live: LiveRuns,
        *,
        linked: Callable[[], Sequence[Path]] = tuple,
        catalogue_url: str | None = None,
        others: Callable[[], Sequence[OtherPage]] = tuple,
        monitoring: Callable[[], MonitoringSeen] = MonitoringSeen,
        public_host: str | None = None,
    ) -> None:
        """Read nothing yet.

        Args:
            folders: Returns the results folders; asked at each request.
            live: Watches the runs that go on.
            linked: Likewise, further ones: their stored pages are served, for links that lead to
                them, and no list has their runs and alerts.
            catalogue_url: Database of the catalogue, in place of the files.
            others: Returns the pages of other programs that are there; asked at each request.
            monitoring: Returns what is known of it now; asked at each request.
            public_host: The name by which readers reach it.
        """
        self._folders = folders
        self._live = live
        self._linked = linked
        self._catalogue_url = catalogue_url
        self._others = others
        self._monitoring = monitoring
        self.public_host = public_host
        self._pages: Mapping[str, Callable[[list[Path], Query], PageAnswer]] = {
            "/": self._overview,
            "/live": self._live_runs,
            "/trends/": self._trends,
            "/comparisons/": self._comparisons,
            "/compare": self._compare,
            "/endurance/": self._endurance,
            "/alerts/": self._alerts,
            "/baselines/": self._baselines,
        }

    def answer(self, target: str) -> PageAnswer:
        """Return the page of an address.

        Args:
            target: As a request has it: a path, perhaps with a query.
        """
        path, _, asked = target.partition("?")
        if path == "/healthz":
            return PageAnswer(b"ok\n", "text/plain")
        if path in ("/dashboard.css", "/dashboard.js"):
            return self._asset(path)
        folders = list(dict.fromkeys(folder.resolve() for folder in self._folders()))
        page = self._pages.get(path)
        if page is None:
            served = [*folders, *(folder.resolve() for folder in self._linked())]
            return self._stored(served, path) or self._message(HTTPStatus.NOT_FOUND, _NOT_HERE)
        try:
            fields = parse_qs(asked, max_num_fields=_FIELDS_MAX, errors="strict")
        except ValueError:
            return self._message(HTTPStatus.BAD_REQUEST, "The address cannot be read.")
        return page(folders, {name: values[0] for name, values in fields.items()})

    @cached_property
    def _environment(self) -> jinja2.Environment:
        return page_environment("perf_pipeline.dashboard")

    def _render(
        self, template: str, *, status: HTTPStatus = HTTPStatus.OK, **values: object
    ) -> PageAnswer:
        made = self._environment.get_template(f"{template}.html.jinja")
        monitoring, others = self._monitoring(), self._others()
        named = {page.name for page in others}
        found = [OtherPage(*one) for one in monitoring.pages.items() if one[0] not in named]
        given = {"others": (*others, *found), "monitoring": monitoring, "damaged": ()}
        content = made.render({**given, **values})
        return PageAnswer(content.encode(errors="backslashreplace"), status=status)

    def _message(self, status: HTTPStatus, text: str) -> PageAnswer:
        lines = [escape.visible(line) for line in text.splitlines()]
        return self._render("message", status=status, title=status.phrase, lines=lines)

    def _asset(self, path: str) -> PageAnswer:
        if path.endswith(".js"):
            return PageAnswer((_TEMPLATES / "dashboard.js").read_bytes(), "text/javascript")
        style = self._environment.get_template("dashboard.css.jinja").render()
        return PageAnswer(style.encode(), "text/css")

    def _stored(self, folders: list[Path], path: str) -> PageAnswer | None:
        """Return a stored page from the first results folder that has it, and no other file."""
        found = _STORED.fullmatch(path)
        if found is None:
            return None
        name, file = found[1] or found[3], found[2] or found[4]
        for folder in (results / name for results in folders):
            try:
                if not folder.is_symlink():
                    return PageAnswer(read_file(folder / file), policy=report_policy())
            except OSError:
                continue
        return None

    def _overview(self, folders: list[Path], query: Query) -> PageAnswer:
        found = run_rows(folders)
        catalogue = catalogue_rows(folders, self._catalogue_url)
        newest = newest_findings(folders, catalogue)
        return self._render(
            "overview",
            live=self._live.look(folders),
            shown=filtered_runs(found.rows, RunFilter.of(query)),
            findings=newest.rows,
            opened=[one for one in catalogue.alerts if one.is_open],
            folders=[escape.visible(folder) for folder in folders],
            damaged=(*found.damaged, *catalogue.damaged, *newest.damaged),
        )

    def _live_runs(self, folders: list[Path], _query: Query) -> PageAnswer:
        return self._render("live", live=self._live.look(folders))

    def _trends(self, folders: list[Path], _query: Query) -> PageAnswer:
        rows, damaged = trend_rows(folders)
        return self._render("trends", rows=rows, damaged=damaged)

    def _comparisons(self, folders: list[Path], query: Query) -> PageAnswer:
        runs = [row for row in run_rows(folders).rows if row.can_compare]
        chosen = query.get("candidate", "")
        scenario = next((row.scenario for row in runs if row.run_id == chosen), None)
        offered = [row for row in runs if scenario is None or row.scenario == scenario]
        found = comparison_rows(folders)
        return self._render(
            "comparisons",
            rows=found.rows,
            older=found.older,
            damaged=found.damaged,
            runs=offered[:_CHOICES_MAX],
            not_offered=len(offered[_CHOICES_MAX:]),
            candidate=chosen if scenario else "",
            scenario=scenario,
        )

    def _compare(self, folders: list[Path], query: Query) -> PageAnswer:
        baseline, candidate = (query.get(side, "").strip() for side in ("baseline", "candidate"))
        if page := stored_page(folders, baseline, candidate):
            return redirect(page)
        try:
            content = comparison_page(folders, baseline, candidate)
        except PerfPipelineError as error:
            return self._message(HTTPStatus.CONFLICT, f"These runs are not compared.\n{error}")
        return PageAnswer(content.encode(errors="backslashreplace"), policy=report_policy())

    def _endurance(self, folders: list[Path], _query: Query) -> PageAnswer:
        found = campaign_rows(folders)
        return self._render("endurance_list", rows=found.rows, damaged=found.damaged)

    def _alerts(self, folders: list[Path], _query: Query) -> PageAnswer:
        found = catalogue_rows(folders, self._catalogue_url)
        return self._render("alerts", catalogue=found, damaged=found.damaged)

    def _baselines(self, folders: list[Path], _query: Query) -> PageAnswer:
        found = catalogue_rows(folders, self._catalogue_url)
        return self._render("baselines", catalogue=found, damaged=found.damaged)
