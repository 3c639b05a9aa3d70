from dataclasses import replace
from tests.unit.report.conftest import *
from perf_pipeline.report.page import render_html
from perf_pipeline.report import page, level_view, level_charts
def test_it(baseline):
    l=replace(baseline.levels[2], seconds=baseline.levels[2].seconds*4)
    fig=level_charts.level_figures(l, points_max=50)
    print([ (f.title,len(f.svg)) for f in fig])
    env=page._environment()
    v=level_view.level_view(l)
    for t in v.tables:
        one=sum(len(c.text)+len(c.note)+30 for r in t.rows for c in r); print(t.title,one)
    h1=render_html(replace(baseline,levels=tuple(replace(l,index=a,label=str(a)) for a in range(30)), kpis=(),targets=()))
    h2=render_html(replace(baseline,levels=tuple(replace(l,index=a,label=str(a)) for a in range(50)), kpis=(),targets=()))
    print('per level no chart',(len(h2)-len(h1))/20, len(h1))
