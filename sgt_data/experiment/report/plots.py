"""Plots of an experiment: curves along the axis, and bars of arms.

A point is the mean over seeds, its bar the standard error of that mean, and small dots are single
seeds; the accuracy of guessing is dashed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log10
from typing import TYPE_CHECKING, Any

from sgt_data.experiment.measure.run_result import RunResult
from sgt_data.experiment.plan.varied_axis import AxisValue, axis_text
from sgt_data.experiment.report.groups import Group, Measure, groups_of
from sgt_data.experiment.report.plot_style import (
    COLOURS,
    MARKERS,
    SOFT_COLOUR,
    TEXT_COLOUR,
    TITLE_WIDTH,
    Plot,
    mixed_with_white,
    plot_text,
    render_plot,
    spread_heights,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANEL_COLUMNS = 3
_BAR_COLOUR = COLOURS[0]
_DASHED: dict[str, Any] = {"color": SOFT_COLOUR, "linewidth": 1, "linestyle": (0, (4, 3))}


def curve_plot(
    results: Sequence[RunResult],
    measure: Measure,
    title: str,
    axis: str,
    chance: float | None = None,
) -> Plot:
    """Plot a measure against the axis, one line per arm; arms off the axis are horizontal bands.

    Numbers are placed on a logarithmic axis with 0 at its left end; labels in equal steps.

    Args:
        results: results of all runs.
        measure: what is plotted.
        title: title of the plot.
        axis: label of the axis.
        chance: accuracy of guessing; None for no such line.
    """
    groups = groups_of(results)

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        ends = _draw_lines(axes, groups, measure)
        _label_axis(axes, groups, 8.5)
        axes.set_xlabel(plot_text(axis, TITLE_WIDTH), labelpad=7)
        axes.set_title(plot_text(title, TITLE_WIDTH), fontsize=11, pad=12)
        if chance is not None:
            axes.axhline(chance, **_DASHED)
            ends.append(("guessing", chance, SOFT_COLOUR))
        low, high = axes.get_ylim()
        label_heights = spread_heights([height for _, height, _ in ends], (high - low) * 0.09)
        for (text, height, colour), label_height in zip(ends, label_heights, strict=True):
            axes.annotate(
                plot_text(text), (1, height), xycoords=("axes fraction", "data"),
                xytext=(1.035, label_height), textcoords=("axes fraction", "data"), va="center",
                color=TEXT_COLOUR, fontsize=9,
                arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 2, "shrinkA": 1,
                            "shrinkB": 0}, annotation_clip=False,
            )  # fmt: skip

    return render_plot(draw, 7.6, 4.3)


def panel_plot(
    results: Sequence[RunResult],
    measures: Mapping[str, Measure],
    title: str,
    axis: str,
    chances: Mapping[str, float],
) -> Plot:
    """Plot several measures against the axis, one small panel each, on one scale.

    Args:
        results: results of all runs.
        measures: measures by name.
        title: title of the plot.
        axis: label of the axis.
        chances: accuracy of guessing by name of a measure, where it has one.
    """
    groups = groups_of(results)
    columns = min(_PANEL_COLUMNS, len(measures))
    rows = -(-len(measures) // columns)

    def draw(figure: Figure) -> None:
        grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
        all_axes = grid.ravel().tolist()
        for place, (name, measure) in enumerate(measures.items()):
            axes = all_axes[place]
            _draw_lines(axes, groups, measure, small=True)
            _label_axis(axes, groups, 7.5)
            axes.set_title(plot_text(name, 34))
            if name in chances:
                axes.axhline(chances[name], **_DASHED, label="guessing")
            if place + columns >= len(measures):
                axes.set_xlabel(plot_text(axis, 40), fontsize=8, labelpad=5)
        for axes in all_axes[len(measures) :]:
            axes.set_axis_off()
        figure.suptitle(plot_text(title, TITLE_WIDTH), fontsize=11, x=0.01, ha="left")
        handles = {
            label: handle
            for axes in all_axes
            for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
        }
        labels = [*dict.fromkeys(group.arm for group in groups), "guessing"]
        order = [label for label in dict.fromkeys(labels) if label in handles]
        figure.legend(
            [handles[label] for label in order], [plot_text(label, 40) for label in order],
            loc="outside lower left", ncols=3, fontsize=8.5,
        )  # fmt: skip

    return render_plot(draw, 2.0 + 2.2 * columns, 1.4 + 2.2 * rows)


def bar_plot(
    results: Sequence[RunResult],
    measures: Mapping[str, Measure],
    title: str,
    chances: Mapping[str, float],
) -> Plot:
    """Plot arms as rows, the best by the first measure on top, with a column of bars per measure.

    Args:
        results: results of all runs.
        measures: measures by name.
        title: title of the plot.
        chances: accuracy of guessing by name of a measure, where it has one.
    """
    first = next(iter(measures.values()))
    groups = sorted(groups_of(results), key=lambda group: _mean(group, first))

    def draw(figure: Figure) -> None:
        all_axes = figure.subplots(1, len(measures), sharey=True, squeeze=False)[0]
        for axes, (name, measure) in zip(all_axes, measures.items(), strict=True):
            _draw_bars(axes, groups, measure)
            if name in chances:
                axes.axvline(chances[name], **_DASHED)
            axes.set_title(plot_text(name, 24))
            axes.grid(axis="x")
            axes.grid(visible=False, axis="y")
            highest = axes.get_xlim()[1]
            axes.set_xlim(0, max(1.04, highest))
            if highest <= 1.1:
                axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "", "0.5", "", "1"])
            axes.tick_params(axis="y", length=0)
        all_axes[0].set_yticks(range(len(groups)), [plot_text(group.label, 30) for group in groups])
        figure.suptitle(plot_text(title, TITLE_WIDTH), fontsize=11, x=0.01, ha="left")
        if chances:
            figure.supxlabel("dashed: what guessing scores", fontsize=8.5, color=SOFT_COLOUR)

    return render_plot(draw, 2.4 + 1.9 * len(measures), 1.3 + 0.42 * len(groups))


def _draw_bars(axes: Axes, groups: Sequence[Group], measure: Measure) -> None:
    for row, group in enumerate(groups):
        mean = group.over_seeds(measure)
        if mean is None:
            continue
        axes.barh(row, mean.mean, height=0.66, color=mixed_with_white(_BAR_COLOUR, 0.4))
        axes.errorbar(
            mean.mean, row, xerr=mean.error or 0, color=_BAR_COLOUR, capsize=3, fmt="none"
        )
        axes.plot(
            mean.values, [row] * len(mean.values), ".", color=_BAR_COLOUR, alpha=0.6, markersize=5
        )


def _draw_lines(
    axes: Axes, groups: Sequence[Group], measure: Measure, small: bool = False
) -> list[tuple[str, float, str]]:
    """Draw lines and bands; returns name, height and colour of each one's right end."""
    places = _axis_places(groups)
    ends = []
    for number, arm in enumerate(dict.fromkeys(group.arm for group in groups)):
        colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
        of_arm = [(group.x, group.over_seeds(measure)) for group in groups if group.arm == arm]
        points = [(places[x], mean) for x, mean in of_arm if x is not None and mean is not None]
        for x, mean in of_arm:
            if x is None and mean is not None:
                error = mean.error or 0
                axes.axhspan(
                    mean.mean - error, mean.mean + error, color=colour, alpha=0.16, linewidth=0
                )
                axes.axhline(mean.mean, color=colour, linewidth=1.4, label=arm, zorder=1.5)
                ends.append((arm, mean.mean, colour))
        if points:
            across = [place for place, _ in points]
            means = [mean.mean for _, mean in points]
            axes.errorbar(
                across, means, yerr=[mean.error or 0 for _, mean in points], color=colour,
                marker=marker, markersize=4 if small else 6, linewidth=1.4 if small else 1.8,
                capsize=2.5 if small else 3.5, label=arm, zorder=3,
            )  # fmt: skip
            for place, mean in points:
                axes.plot(
                    [place] * len(mean.values), mean.values, ".", color=colour, alpha=0.45,
                    markersize=3 if small else 4.5, zorder=2.5,
                )  # fmt: skip
            ends.append((arm, means[-1], colour))
    return ends


def _axis_places(groups: Sequence[Group]) -> dict[AxisValue, float]:
    """Where each axis value is drawn: log10 of a number, 0 one step left of the least number.

    Labels are drawn at 0, 1, 2 and so on.
    """
    values = list(dict.fromkeys(group.x for group in groups if group.x is not None))
    numbers = sorted(value for value in values if not isinstance(value, str))
    if len(numbers) < len(values) or any(number < 0 for number in numbers):
        return {value: float(place) for place, value in enumerate(values)}
    logarithms = [log10(number) for number in numbers if number > 0]
    step = 1.0
    if len(logarithms) > 1:
        step = (logarithms[-1] - logarithms[0]) / (len(logarithms) - 1)
    zero = (logarithms[0] if logarithms else 0) - step
    return {number: log10(number) if number > 0 else zero for number in numbers}


def _label_axis(axes: Axes, groups: Sequence[Group], font_size: float) -> None:
    places = _axis_places(groups)
    labels = [plot_text(axis_text(value), 12) for value in places]
    axes.set_xticks(list(places.values()), labels, fontsize=font_size)
    axes.margins(x=0.06)
    is_logarithmic = not any(isinstance(value, str) for value in places)
    if is_logarithmic and 0 in places and len(places) > 1:
        first, second = sorted(places.values())[:2]
        axes.text(
            (first + second) / 2, 0, "//", transform=axes.get_xaxis_transform(), ha="center",
            va="center", fontsize=10, color=TEXT_COLOUR, clip_on=False,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
        )  # fmt: skip


def _mean(group: Group, measure: Measure) -> float:
    mean = group.over_seeds(measure)
    return float("-inf") if mean is None else mean.mean
