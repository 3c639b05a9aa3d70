"""A board as Grafana reads it.

Source:
    https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perf_pipeline.monitoring.boards.panel import Board, of_run

if TYPE_CHECKING:
    from perf_pipeline.monitoring.boards.panel import Panel

_COLUMNS, _HEIGHTS = 24, {"stat": 4}
_HEIGHT = 8
_SCHEMA = 41
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_OPTIONS: dict[str, dict[str, Any]] = {
    "timeseries": {
        "legend": {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "max"]},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "stat": {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "textMode": "value_and_name",
        "colorMode": "value",
    },
    "table": {"showHeader": True},
    "heatmap": {
        "calculate": False,
        "yAxis": {"unit": "s"},
        "color": {"mode": "scheme", "scheme": "Turbo", "steps": 64},
        "cellGap": 1,
    },
    "state-timeline": {"showValue": "auto", "mergeValues": True},
}
_ANNOTATIONS = (
    ("Faults", "loadtest_fault_active", " == 1", "{{fault}} on {{service}}", "red"),
    ("Verdicts on faults", "loadtest_fault_verdict", " == 1", "{{fault}}: {{verdict}}", "blue"),
    ("Validity of levels", "loadtest_level_validity", " == 1", "{{level}}: {{validity}}", "green"),
    ("Verdicts on leaks", "loadtest_leak_verdict", " == 1", "{{signal}}: {{verdict}}", "purple"),
)


def dashboard(board: Board, folder_tag: str = "perf_pipeline") -> dict[str, Any]:
    """Return a board as Grafana's JSON.

    Args:
        board: The board.
        folder_tag: By which the boards link to each other.
    """
    return {
        "uid": f"perf-pipeline-{board.name.replace('_', '-')}",
        "title": board.title,
        "description": board.text,
        "tags": [folder_tag],
        "schemaVersion": _SCHEMA,
        "editable": False,
        "graphTooltip": 1,
        "timezone": "browser",
        "refresh": "10s" if not board.takes_many_runs else "1m",
        "time": {"from": "now-30d" if board.takes_many_runs else "now-1h", "to": "now"},
        "templating": {"list": _variables(board)},
        "annotations": {"list": _annotations() if board.is_of_runs else []},
        "links": _links(folder_tag),
        "panels": _panels(board),
    }


def _panels(board: Board) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    x = y = row_height = 0
    for number, panel in enumerate(board.panels, 1):
        height = _HEIGHTS.get(panel.kind, _HEIGHT)
        if x + panel.width > _COLUMNS:
            x, y, row_height = 0, y + row_height, 0
        place = {"h": height, "w": panel.width, "x": x, "y": y}
        found.append(_panel(panel, number, place))
        x, row_height = x + panel.width, max(row_height, height)
    return found


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    steps = panel.steps or ((None, "green"),)
    thresholds = [{"color": color, "value": value} for value, color in steps]
    custom: dict[str, Any] = {}
    if panel.kind == "timeseries":
        drawn = "line" if panel.steps else "off"
        custom = {"custom": {"fillOpacity": 10, "thresholdsStyle": {"mode": drawn}}}
    needs = f" Empty without {panel.needs}." if panel.needs else ""
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": f"{panel.text}{needs}",
        "datasource": _SOURCE,
        "gridPos": place,
        "targets": [
            _target(query.expr, query.legend, panel.kind, letter)
            for letter, query in zip("ABCDEFGH", panel.queries, strict=False)
        ],
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit,
                "thresholds": {"mode": "absolute", "steps": thresholds},
                **custom,
            },
            "overrides": [],
        },
        "options": _OPTIONS[panel.kind],
    }


def _target(expr: str, legend: str, kind: str, letter: str) -> dict[str, Any]:
    is_latest = kind in ("table", "stat")
    shape = {"table": "table", "heatmap": "heatmap"}.get(kind, "time_series")
    return {
        "refId": letter,
        "datasource": _SOURCE,
        "expr": expr,
        "legendFormat": legend or "__auto",
        "format": shape,
        "instant": is_latest,
        "range": not is_latest,
    }


def _variables(board: Board) -> list[dict[str, Any]]:
    many = board.takes_many_runs
    runs = {
        "name": "run_id",
        "label": "Run",
        "type": "query",
        "datasource": _SOURCE,
        "query": {"query": "label_values(loadtest_run_info, run_id)", "refId": "runs"},
        "refresh": 2,
        "sort": 2,
        "multi": many,
        "includeAll": many,
        **({"allValue": ".+"} if many else {}),
    }
    return [
        {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"},
        *([runs] if board.is_of_runs else []),
        _address("reports_url", "http://127.0.0.1:8081"),
        _address("dagster_url", "http://127.0.0.1:3001"),
    ]


def _address(name: str, url: str) -> dict[str, Any]:
    return {"name": name, "type": "textbox", "query": url, "hide": 2}


def _annotations() -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "datasource": _SOURCE,
            "enable": True,
            "iconColor": color,
            "target": {"refId": "Anno", "expr": f"{of_run(metric)}{condition}", "interval": "5s"},
            "titleFormat": title,
        }
        for name, metric, condition, title, color in _ANNOTATIONS
    ]


def _links(tag: str) -> list[dict[str, Any]]:
    plain = {"asDropdown": False, "includeVars": False, "keepTime": False, "targetBlank": True}
    outside = {**plain, "type": "link", "icon": "external link", "tags": []}
    return [
        {**outside, "title": "Reports", "url": "${reports_url}", "tooltip": "Reports and verdicts"},
        {**outside, "title": "Dagster", "url": "${dagster_url}", "tooltip": "Runs and lineage"},
        {
            **plain,
            "type": "dashboards",
            "icon": "dashboard",
            "tags": [tag],
            "title": "Boards",
            "tooltip": "",
            "url": "",
            "includeVars": True,
            "keepTime": True,
            "targetBlank": False,
        },
    ]
