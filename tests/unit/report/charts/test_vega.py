"""Pieces of Vega-Lite as plain JSON."""

from __future__ import annotations

from perf_pipeline.report.charts import vega


def test_a_specification_is_what_the_grammar_documents() -> None:
    """Written by hand from https://vega.github.io/vega-lite/docs/layer.html and encoding.html."""
    rows = [{"t": 0.0, "value": 3, "end": 1.0, "series": "a"}]
    x = vega.channel("t:Q", title=None, scale=vega.scale(domain=[0, 1], nice=False))
    line = vega.Chart(rows).marked("line", strokeWidth=1.4).encoded(x=x)
    colour = vega.channel("series:N", legend=None)
    rule = vega.Chart([]).marked("rule").encoded(x2=vega.channel("end"), y=vega.constant(0))

    assert vega.layered([line.encoded(color=colour), rule], width=330, height=150) == {
        "width": 330,
        "height": 150,
        "layer": [
            {
                "data": {"values": rows},
                "mark": {"type": "line", "strokeWidth": 1.4},
                "encoding": {
                    "x": {
                        "field": "t",
                        "type": "quantitative",
                        "title": None,
                        "scale": {"domain": [0, 1], "nice": False},
                    },
                    "color": {"field": "series", "type": "nominal", "legend": None},
                },
            },
            {
                "data": {"values": []},
                "mark": {"type": "rule"},
                "encoding": {"x2": {"field": "end"}, "y": {"value": 0}},
            },
        ],
    }


def test_charts_made_of_one_do_not_change_it() -> None:
    base = vega.Chart([{"x": 1}]).marked("line").encoded(x=vega.channel("x:Q"))
    before = base.to_json()

    base.with_rows([]).marked("point", size=8).encoded(x=vega.channel("y:Q"))

    assert base.to_json() == before
