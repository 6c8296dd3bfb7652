"""Plots of an experiment: curves along an axis, and bars of arms.

A point is the mean over seeds, its bar the standard error of that mean, and small dots are the
seeds themselves; what guessing scores is dashed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log10
from typing import TYPE_CHECKING, Any

from sgt_data.experiment.measure.results import RunResult
from sgt_data.experiment.report.plot_style import (
    COLOURS,
    INK,
    MARKERS,
    SOFT,
    TITLE_WIDTH,
    Plot,
    drawn,
    shade,
    shown,
    spread,
)
from sgt_data.experiment.report.series import (
    Group,
    Measure,
    Place,
    groups_of,
    place_text,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS = 3
_BAR = COLOURS[0]
_DASHED: dict[str, Any] = {"color": SOFT, "linewidth": 1, "linestyle": (0, (4, 3))}


def curve(
    results: Sequence[RunResult],
    measure: Measure,
    title: str,
    axis: str,
    chance: float | None = None,
) -> Plot:
    """A measure against the axis, one line an arm; arms off the axis (x is None) are bands.

    Numbers stand on a log axis, 0 at its left end; labels stand in a row.
    """
    groups = groups_of(results)

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        ends = _lines(axes, groups, measure)
        _scale(axes, groups, 8.5)
        axes.set_xlabel(shown(axis, TITLE_WIDTH), labelpad=7)
        axes.set_title(shown(title, TITLE_WIDTH), fontsize=11, pad=12)
        if chance is not None:
            axes.axhline(chance, **_DASHED)
            ends.append(("guessing", chance, SOFT))
        low, high = axes.get_ylim()
        heights = spread([height for _, height, _ in ends], (high - low) * 0.09)
        for (text, height, colour), at in zip(ends, heights, strict=True):
            axes.annotate(
                shown(text), (1, height), xycoords=("axes fraction", "data"), xytext=(1.035, at),
                textcoords=("axes fraction", "data"), va="center", color=INK, fontsize=9,
                arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 2, "shrinkA": 1,
                            "shrinkB": 0}, annotation_clip=False,
            )  # fmt: skip

    return drawn(draw, 7.6, 4.3)


def panels(
    results: Sequence[RunResult],
    measures: Mapping[str, Measure],
    title: str,
    axis: str,
    chances: Mapping[str, float],
) -> Plot:
    """The same for several measures, a small plot each on one scale; `chances` by measure."""
    groups = groups_of(results)
    columns = min(_COLUMNS, len(measures))
    rows = -(-len(measures) // columns)

    def draw(figure: Figure) -> None:
        grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
        every = grid.ravel().tolist()
        for place, (name, measure) in enumerate(measures.items()):
            axes = every[place]
            _lines(axes, groups, measure, small=True)
            _scale(axes, groups, 7.5)
            axes.set_title(shown(name, 34))
            if name in chances:
                axes.axhline(chances[name], **_DASHED, label="guessing")
            if place + columns >= len(measures):
                axes.set_xlabel(shown(axis, 40), fontsize=8, labelpad=5)
        for axes in every[len(measures) :]:
            axes.set_axis_off()
        figure.suptitle(shown(title, TITLE_WIDTH), fontsize=11, x=0.01, ha="left")
        named = {
            label: handle
            for axes in every
            for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
        }
        arms = [*dict.fromkeys(group.arm for group in groups), "guessing"]
        order = [arm for arm in dict.fromkeys(arms) if arm in named]
        figure.legend(
            [named[one] for one in order], [shown(one, 40) for one in order],
            loc="outside lower left", ncols=3, fontsize=8.5,
        )  # fmt: skip

    return drawn(draw, 2.0 + 2.2 * columns, 1.4 + 2.2 * rows)


def bars(
    results: Sequence[RunResult],
    measures: Mapping[str, Measure],
    title: str,
    chances: Mapping[str, float],
) -> Plot:
    """Arms as rows, the best by the first measure on top; a column of bars from 0 per measure."""
    first = next(iter(measures.values()))
    groups = sorted(groups_of(results), key=lambda group: _mean(group, first))

    def draw(figure: Figure) -> None:
        every = figure.subplots(1, len(measures), sharey=True, squeeze=False)[0]
        for axes, (name, measure) in zip(every, measures.items(), strict=True):
            for row, group in enumerate(groups):
                found = group.over_seeds(measure)
                if found is None:
                    continue
                axes.barh(row, found.mean, height=0.66, color=shade(_BAR, 0.4))
                axes.errorbar(
                    found.mean, row, xerr=found.error or 0, color=_BAR, capsize=3, fmt="none"
                )
                axes.plot(
                    found.values, [row] * len(found.values), ".", color=_BAR, alpha=0.6,
                    markersize=5,
                )  # fmt: skip
            if name in chances:
                axes.axvline(chances[name], **_DASHED)
            axes.set_title(shown(name, 24))
            axes.grid(axis="x")
            axes.grid(visible=False, axis="y")
            highest = axes.get_xlim()[1]
            axes.set_xlim(0, max(1.04, highest))
            if highest <= 1.1:
                axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "", "0.5", "", "1"])
            axes.tick_params(axis="y", length=0)
        every[0].set_yticks(range(len(groups)), [shown(group.label, 30) for group in groups])
        figure.suptitle(shown(title, TITLE_WIDTH), fontsize=11, x=0.01, ha="left")
        if chances:
            figure.supxlabel("dashed: what guessing scores", fontsize=8.5, color=SOFT)

    return drawn(draw, 2.4 + 1.9 * len(measures), 1.3 + 0.42 * len(groups))


def _lines(
    axes: Axes, groups: Sequence[Group], measure: Measure, small: bool = False
) -> list[tuple[str, float, str]]:
    """Lines and bands; the name, height and colour of each one's right end."""
    places = _positions(groups)
    ends = []
    for number, arm in enumerate(dict.fromkeys(group.arm for group in groups)):
        colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
        mine = [(group.x, group.over_seeds(measure)) for group in groups if group.arm == arm]
        points = [(places[x], found) for x, found in mine if x is not None and found is not None]
        for x, found in mine:
            if x is None and found is not None:
                reach = found.error or 0
                axes.axhspan(
                    found.mean - reach, found.mean + reach, color=colour, alpha=0.16, linewidth=0
                )
                axes.axhline(found.mean, color=colour, linewidth=1.4, label=arm, zorder=1.5)
                ends.append((arm, found.mean, colour))
        if points:
            across = [at for at, _ in points]
            means = [found.mean for _, found in points]
            axes.errorbar(
                across, means, yerr=[found.error or 0 for _, found in points], color=colour,
                marker=marker, markersize=4 if small else 6, linewidth=1.4 if small else 1.8,
                capsize=2.5 if small else 3.5, label=arm, zorder=3,
            )  # fmt: skip
            for at, found in points:
                axes.plot(
                    [at] * len(found.values), found.values, ".", color=colour, alpha=0.45,
                    markersize=3 if small else 4.5, zorder=2.5,
                )  # fmt: skip
            ends.append((arm, means[-1], colour))
    return ends


def _positions(groups: Sequence[Group]) -> dict[Place, float]:
    """Where each x stands: log10 of a number, 0 a step to the left of the least; labels in a
    row."""
    xs = list(dict.fromkeys(group.x for group in groups if group.x is not None))
    numbers = sorted(x for x in xs if not isinstance(x, str))
    if len(numbers) < len(xs) or any(x < 0 for x in numbers):
        return {x: float(place) for place, x in enumerate(xs)}
    above = [log10(x) for x in numbers if x > 0]
    step = (above[-1] - above[0]) / (len(above) - 1) if len(above) > 1 else 1.0
    return {x: log10(x) if x > 0 else (above[0] if above else 0) - step for x in numbers}


def _scale(axes: Axes, groups: Sequence[Group], size: float) -> None:
    places = _positions(groups)
    labels = [shown(place_text(x), 12) for x in places]
    axes.set_xticks(list(places.values()), labels, fontsize=size)
    axes.margins(x=0.06)
    on_log_axis = not any(isinstance(x, str) for x in places)
    if on_log_axis and 0 in places and len(places) > 1:
        first, second = sorted(places.values())[:2]
        axes.text(
            (first + second) / 2, 0, "//", transform=axes.get_xaxis_transform(), ha="center",
            va="center", fontsize=10, color=INK, clip_on=False,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
        )  # fmt: skip


def _mean(group: Group, measure: Measure) -> float:
    found = group.over_seeds(measure)
    return float("-inf") if found is None else found.mean
