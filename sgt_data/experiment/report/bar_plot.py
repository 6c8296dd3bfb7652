"""Plots with a row for each arm and a column of bars for each measure.

A bar is the mean over seeds, its whisker the 95 % interval over seeds, and small dots are single
seeds; the accuracy of guessing is dashed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sgt_data.experiment.measure.run_result import RunResult
from sgt_data.experiment.report.groups import Group, Measure, groups_of
from sgt_data.experiment.report.plot_style import (
    COLOURS,
    DASHED,
    SOFT_COLOUR,
    TITLE_WIDTH,
    Plot,
    mixed_with_white,
    plot_text,
    render_plot,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BAR_COLOUR = COLOURS[0]


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
                axes.axvline(chances[name], **DASHED)
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
        axes.errorbar(mean.mean, row, xerr=mean.reach, color=_BAR_COLOUR, capsize=3, fmt="none")
        axes.plot(
            mean.values, [row] * len(mean.values), ".", color=_BAR_COLOUR, alpha=0.6, markersize=5
        )


def _mean(group: Group, measure: Measure) -> float:
    mean = group.over_seeds(measure)
    return float("-inf") if mean is None else mean.mean
