"""Plots of an experiment along its axis.

A point is the mean over seeds, its bar the 95 % interval over seeds (Student's t), and small dots
are single seeds. A hollow point at 0 is the arm that draws nothing, and the dotted line its height;
it is on no line, for 0 has no place on a logarithmic axis. The accuracy of guessing is dashed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log10
from typing import TYPE_CHECKING

from sgt_data.experiment.measure.run_result import RunResult
from sgt_data.experiment.measure.seed_means import SeedMean
from sgt_data.experiment.plan.varied_axis import AxisValue, axis_text
from sgt_data.experiment.report.groups import Group, Measure, groups_of
from sgt_data.experiment.report.plot_style import (
    COLOURS,
    DASHED,
    MARKERS,
    SOFT_COLOUR,
    TEXT_COLOUR,
    TITLE_WIDTH,
    Plot,
    plot_text,
    render_plot,
    spread_heights,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANEL_COLUMNS = 3


def curve_plot(
    results: Sequence[RunResult],
    measure: Measure,
    title: str,
    axis: str,
    chance: float | None = None,
) -> Plot:
    """Plot a measure against the axis, one line per arm; arms off the axis stand at its right end.

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
            axes.axhline(chance, **DASHED)
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
                axes.axhline(chances[name], **DASHED, label="guessing")
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


def _draw_lines(
    axes: Axes, groups: Sequence[Group], measure: Measure, small: bool = False
) -> list[tuple[str, float, str]]:
    """Draw all arms; returns name, height and colour of the right end of each one."""
    places = _axis_places(groups)
    right, gap = max(places.values(), default=0.0), 0.035 * (len(places) or 1)
    ends = []
    for number, arm in enumerate(dict.fromkeys(group.arm for group in groups)):
        style = _ArmStyle(
            COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)], arm, small
        )
        of_arm = [
            (group.x, mean)
            for group in groups
            if group.arm == arm and (mean := group.over_seeds(measure)) is not None
        ]
        points = [(places[x], mean) for x, mean in of_arm if x is not None and x != 0]
        for x, mean in of_arm:
            if x is None:
                right += 2 * gap
                _draw_points(axes, [(right, mean)], style)
                axes.axhline(mean.mean, color=style.colour, linewidth=1, alpha=0.7, zorder=1.5)
            elif x == 0:
                _draw_points(axes, [(places[x], mean)], style, hollow=True)
                axes.axhline(mean.mean, color=style.colour, linewidth=1, linestyle=":", zorder=1.5)
        if points:
            _draw_points(axes, points, style)
        if of_arm:
            ends.append((arm, of_arm[-1][1].mean, style.colour))
    return ends


@dataclass(frozen=True, slots=True)
class _ArmStyle:
    colour: str
    marker: str
    label: str
    small: bool


def _draw_points(
    axes: Axes, points: Sequence[tuple[float, SeedMean]], style: _ArmStyle, hollow: bool = False
) -> None:
    axes.errorbar(
        [place for place, _ in points], [mean.mean for _, mean in points],
        yerr=[mean.reach for _, mean in points], color=style.colour, marker=style.marker,
        markersize=4 if style.small else 6, linewidth=1.4 if style.small else 1.8,
        markerfacecolor="white" if hollow else style.colour,
        capsize=2.5 if style.small else 3.5, label=style.label, zorder=3,
    )  # fmt: skip
    for place, mean in points:
        axes.plot(
            [place] * len(mean.values), mean.values, ".", color=style.colour, alpha=0.45,
            markersize=3 if style.small else 4.5, zorder=2.5,
        )  # fmt: skip


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
