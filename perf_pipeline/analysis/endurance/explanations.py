"""How probable each explanation of a signal's floors is, and how much the signal grows in it.

An explanation is a sum of terms (``terms.py``). Each is fitted by least squares after the
correlation of neighbouring floors was removed (Prais and Winsten), and weighed by the Bayesian
information criterion: half of it is minus the logarithm of the likelihood, averaged over what the
explanation leaves open. The time constant of a warm-up and the place of a step are averaged over
their grids; that of time constants is made finer where they are known better.

No explanation is chosen. All of them together say how the signal grows, each by its probability
(Bayesian model averaging), so that a trend which a warm-up, a step or a daily cycle explains as
well stays in doubt.

Sources:
    Raftery, "Bayesian Model Selection in Social Research", Sociological Methodology 25, 1995.
    Hoeting, Madigan, Raftery, Volinsky, "Bayesian Model Averaging: A Tutorial", Statistical
    Science 14, 1999.
    Prais, Winsten, "Trend Estimators and Serial Correlation", Cowles Commission, 1954.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.analysis.endurance.shapes import KINDS, growth_at
from perf_pipeline.analysis.endurance.terms import TREND

if TYPE_CHECKING:
    import numpy.typing as npt

    from perf_pipeline.analysis.endurance.floors import Floats
    from perf_pipeline.analysis.endurance.terms import Terms

MAX_CORRELATION = 0.95
OUTLIER_SPREADS = 4.0
MIN_WEIGHT = 1e-5
_PASSES, _REFINEMENTS = 3, 6
_MIN_POINTS = 2.25
"""As many points of a grid must share the weight, or it is too coarse: of a normal distribution
these are two thirds of a standard deviation wide each, and their sum is right to a thousandth."""
_SD_PER_MAD = 1.4826
_RIDGE = 1e-11
_LITTLE = 1e-9
_SAME_CORRELATION = 0.01
_POWER_SPREADS = 0.84
"""Four in five estimates are no more than so many standard errors below the truth."""
_SEEN_SPREADS = 2.33
_NO_COST, _FAR, _BISECTIONS = 20.0, 1e3, 40


@dataclass(frozen=True)
class Explanations:
    """The explanations that have any weight, one at each position; weights sum to 1.

    Attributes:
        weight: float64[n], probability of each.
        rest: int[n], its place in ``Terms.rests``.
        kind: int[n], of its shape; -1 without.
        constant: float64[n], end or time constant of its shape, of the time that the floors cover;
            0 without.
        has_trend: bool[n], whether it has a trend of its own. Where it has none, what follows is
            estimated with a trend added.
        trend: float64[n], growth by the trend over the time that the floors cover.
        trend_error: float64[n], its standard error.
        late: float64[n], the same with what a shape still grows at the end.
        late_error: float64[n], its standard error.
        degrees: float64[n], degrees of freedom of the errors.
        height: float64[n], of its step; 0 without.
        rise: float64[n], of its shape from the first floor to the last; 0 without.
        correlation: Of neighbouring floors, once the best explanation is taken away.
        visible: Smallest trend over that time which would leave all explanations without one
            together less probable than ``doubt``, four times in five.
    """

    weight: Floats
    rest: npt.NDArray[np.int64]
    kind: npt.NDArray[np.int64]
    constant: Floats
    has_trend: npt.NDArray[np.bool_]
    trend: Floats
    trend_error: Floats
    late: Floats
    late_error: Floats
    degrees: Floats
    height: Floats
    rise: Floats
    correlation: float
    visible: float

    def growth_of_shape(self, at: Floats) -> Floats | None:
        """Return what the shape of the best explanation grows until some times from 0 to 1."""
        best = int(np.argmax(self.weight))
        if self.kind[best] < 0:
            return None
        return float(self.rise[best]) * growth_at(
            int(self.kind[best]), float(self.constant[best]), at
        )


@dataclass(frozen=True)
class _Fits:
    """Every explanation: a row for each rest, a column for no shape and for each shape.

    Attributes:
        log_weight: Logarithm of its probability, but for a constant.
        log_cost: The part of it that does not depend on the data.
        variance: Of the noise.
        degrees: Degrees of freedom of it.
        trend: As in ``Explanations``; so are ``late``, ``height`` and ``rise``.
        of_trend: Variance of ``trend`` / ``variance``.
        late: Growth at the end.
        of_late: Variance of ``late`` / ``variance``.
        height: Of the step.
        rise: Of the shape.
    """

    log_weight: Floats
    log_cost: Floats
    variance: Floats
    degrees: Floats
    trend: Floats
    of_trend: Floats
    late: Floats
    of_late: Floats
    height: Floats
    rise: Floats


def weigh_explanations(
    terms: Terms, values: Floats, resolution: float, doubt: float
) -> Explanations:
    """Fit every explanation.

    Args:
        terms: What may explain the values.
        values: float64[n], the floors.
        resolution: Smallest standard deviation of a floor that its unit allows, > 0.
        doubt: Probability of all explanations without a trend, below which a trend is seen.
    """
    given, chosen, refinements = values, None, 0
    correlation = _correlation(values, terms.columns[:, : TREND + 1])
    for _ in range(_PASSES + 1):
        fits = _fit(terms, values, correlation, resolution)
        while refinements < _REFINEMENTS and (coarse := _coarse(terms, fits)):
            terms, refinements = terms.refined(coarse), refinements + 1
            fits = _fit(terms, values, correlation, resolution)
        rest, shape = _best(fits)
        design = terms.columns[:, terms.used[rest]]
        if shape:
            design = np.column_stack([design, terms.shapes.columns[:, shape - 1]])
        best = design @ np.linalg.lstsq(design, values, rcond=None)[0]
        bound = OUTLIER_SPREADS * _SD_PER_MAD * float(np.median(np.abs(given - best)))
        clipped = np.clip(given, best - bound, best + bound) if bound > 0.0 else given
        before, now = correlation, _correlation(clipped, design)
        known = (rest, float(terms.shapes.constants[shape - 1]) if shape else 0.0)
        if chosen == known and abs(now - before) < _SAME_CORRELATION:
            break
        values, correlation, chosen = clipped, now, known
    weights = np.exp(fits.log_weight - fits.log_weight.max())
    weights /= weights.sum()
    rests, shapes = np.nonzero(weights >= MIN_WEIGHT)
    places = rests, shapes
    has_trend = np.array([one.has_trend for one in terms.rests])
    return Explanations(
        weights[places] / weights[places].sum(),
        rests,
        np.concatenate([[-1], terms.shapes.kinds])[shapes],
        np.concatenate([[0.0], terms.shapes.constants])[shapes],
        has_trend[rests],
        fits.trend[places],
        np.sqrt((fits.variance * fits.of_trend)[places]),
        fits.late[places],
        np.sqrt((fits.variance * fits.of_late)[places]),
        fits.degrees[places],
        fits.height[places],
        fits.rise[places],
        correlation,
        _visible(terms, fits, len(values), doubt),
    )


def _coarse(terms: Terms, fits: _Fits) -> list[int]:
    """Return the shapes beside which a grid is too coarse to be averaged over.

    With and without a trend the same kind of shape may have another constant. Kinds of little
    weight count as well: it may be the grid that gives them so little.
    """
    found, half = set(), len(fits.log_weight) // 2
    for kind in KINDS:
        of_kind = np.flatnonzero(terms.shapes.kinds == kind)
        own = fits.log_weight[:, 1 + of_kind]
        for part in (own[:half], own[half:]):
            weights = np.exp(part - part.max()).sum(axis=0)
            if weights.sum() ** 2 < _MIN_POINTS * (weights**2).sum():
                found.add(int(of_kind[np.argmax(weights)]))
    return sorted(found)


def _best(fits: _Fits) -> tuple[int, int]:
    rest, shape = np.unravel_index(int(np.argmax(fits.log_weight)), fits.log_weight.shape)
    return int(rest), int(shape)


def _fit(terms: Terms, values: Floats, correlation: float, resolution: float) -> _Fits:
    """Fit every explanation with a known correlation of neighbours.

    Each rest is solved once; what a shape adds to it follows from the part of the shape that the
    rest leaves over (Frisch, Waugh, Lovell).
    """
    count, n = terms.columns.shape[1], len(values)
    shapes, grown = terms.shapes.columns, terms.shapes.late
    x = _whitened(np.concatenate([terms.columns, shapes], axis=1), correlation)
    y = _whitened(values - values.mean(), correlation)
    gram, products, squares = x.T @ x, x.T @ y, float(y @ y)
    gram[np.diag_indices(len(gram))] *= 1.0 + _RIDGE
    of_shapes = gram[count:, count:].diagonal()
    rises = shapes[-1] - shapes[0]
    size = terms.log_prior.shape
    fits = _Fits(*(np.zeros(size) for _ in range(10)))
    fits.log_cost[:] = terms.log_prior
    for k, has_trend, places, used in terms.groups:
        inverse = np.linalg.inv(gram[used[:, :, None], used[:, None, :]])
        solved = (inverse @ products[used][:, :, None])[:, :, 0]
        rss = squares - (solved * products[used]).sum(axis=1)
        across = gram[used][:, :, count:]
        through = inverse @ across
        over = np.maximum(of_shapes - (across * through).sum(axis=1), _LITTLE * of_shapes)
        left = products[count:] - (through * products[used][:, :, None]).sum(axis=1)
        height = left / over
        every = np.maximum(np.column_stack([rss, rss[:, None] - left * height]), 0.0)
        parameters = np.array([k, *[k + 1] * (size[1] - 1)])
        free = np.maximum(n - parameters, 1)
        fits.log_cost[places] -= 0.5 * parameters * math.log(n)
        fits.log_weight[places] = -0.5 * n * np.log(every / n + resolution**2)
        fits.variance[places] = every / free + resolution**2
        fits.degrees[places] = np.maximum(free * (1.0 - correlation) / (1.0 + correlation), 2.0)
        fits.rise[places, 1:] = rises * height
        if k > 1 + has_trend:  # the column after the trend is the step's, where there is one
            at = 1 + has_trend
            fits.height[places] = np.column_stack(
                [solved[:, at], solved[:, at, None] - through[:, at] * height]
            )
        if has_trend:
            slope, tilt = solved[:, TREND, None], through[:, TREND]
            of_trend = inverse[:, TREND, TREND, None]
            fits.trend[places] = np.column_stack([slope, slope - tilt * height])
            fits.late[places] = np.column_stack([slope, slope + (grown - tilt) * height])
            fits.of_trend[places] = np.column_stack([of_trend, of_trend + tilt**2 / over])
            fits.of_late[places] = np.column_stack(
                [of_trend, of_trend + (grown - tilt) ** 2 / over]
            )
    half = size[0] // 2
    for one in (fits.trend, fits.late, fits.of_trend, fits.of_late):
        one[:half] = one[half:]
    fits.log_weight[:] += fits.log_cost
    return fits


def _visible(terms: Terms, fits: _Fits, n: int, doubt: float) -> float:
    """Return the smallest trend beside which no other explanation would stand.

    A trend ``b`` that is really there adds ``b^2 / of_trend`` to the squared residuals of an
    explanation without one. Compared are those that have what the best explanation has.
    """
    rest, shape = _best(fits)
    best, half = terms.rests[rest], fits.trend.shape[0] // 2
    alike = [
        place
        for place, one in enumerate(terms.rests[:half])
        if one.step in {best.step, best.step or one.step}
        and one.cycle in {best.cycle, best.cycle or one.cycle}
        and one.has_load >= best.has_load
    ]
    of_shape = slice(None)
    if shape:
        kinds = terms.shapes.kinds
        same = 1 + np.flatnonzero(kinds == kinds[shape - 1])
        of_shape = slice(int(same[0]), int(same[-1]) + 1)
    costs = fits.log_cost[alike, of_shape].ravel()
    noise = float(fits.variance[rest, shape])
    errors = np.sqrt(noise * fits.of_trend[alike, of_shape].ravel())
    with_trend = [place + half for place in alike]
    seen = float(np.logaddexp.reduce(fits.log_cost[with_trend, of_shape].ravel()))
    counts = costs > seen - _NO_COST
    costs, errors = costs[counts] - seen, errors[counts]
    low, high = 0.0, float(errors.max()) * _FAR
    for _ in range(_BISECTIONS):
        trend = (low + high) / 2.0
        distance = np.maximum(trend / errors - _POWER_SPREADS, 0.0)
        odds = np.exp(costs - 0.5 * n * np.log1p(distance**2 / n)).sum()
        low, high = (trend, high) if odds > doubt else (low, trend)
    own = float(np.sqrt(noise * fits.of_trend[rest, shape]))
    return max(high, (_SEEN_SPREADS + _POWER_SPREADS) * own)


def _whitened(values: Floats, correlation: float) -> Floats:
    """Return values without the correlation of neighbours."""
    whitened = values.copy()
    whitened[1:] -= correlation * values[:-1]
    whitened[0] *= math.sqrt(1.0 - correlation**2)
    return whitened


def _correlation(values: Floats, design: Floats) -> float:
    """Return the correlation of neighbours in what a design leaves over.

    That of the residuals is too small by about ``(k + (k + 2) r) / n``, which is added.
    """
    residuals = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
    rss, (n, k) = float(residuals @ residuals), design.shape
    if rss <= _LITTLE**2 * float(values @ values) or n <= k + 4:
        return 0.0
    seen = float(residuals[1:] @ residuals[:-1]) / rss
    return float(np.clip((seen + k / n) / (1.0 - (k + 2) / n), 0.0, MAX_CORRELATION))
