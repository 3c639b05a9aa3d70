"""Endurance series of known truth that no leak verdict was tuned on.

They are written from the list of issue 16 alone, by somebody who had not seen the verdict. What
could be simulated is: a generational collector, arenas that keep their high-water mark, a pool
with births and deaths; noise is filtered from innovations with heavy tails.

- ``shapes()``: the names of all shapes, none of which leaks by itself.
- ``leaking_shapes()``: those on which a share of the floor can be planted. Of ``small_counts``
  (8 to 40 items) 5 % are one item a day: a step, which no series can tell from a leak.
- ``series(shape, rng, hours, every_s, leak_per_day, from_hour)``: one run.

A run of fewer than 24 hours is a scaled one: the same work in less time, so each time constant is
multiplied by ``hours / 24``. ``leak_per_day`` is not scaled: it is growth per 24 hours.
"""

from perf_pipeline.selftest.held_out_leaks.series import Series, leaking_shapes, series, shapes

__all__ = ["Series", "leaking_shapes", "series", "shapes"]
