"""Plots of what goes on in runs: attention by layer, and training step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sgt_data.experiment.measure.lift_off import smoothed
from sgt_data.experiment.measure.results import RunResult
from sgt_data.experiment.report.plot_style import (
    COLOURS,
    MARKERS,
    TITLE_WIDTH,
    Plot,
    drawn,
    shade,
    shown,
)
from sgt_data.experiment.report.series import Group, Measure, groups_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def attention(results: Sequence[RunResult], title: str) -> Plot:
    """Share of attention to visual tokens by layer, a line for each arm and place of the axis."""
    groups = [group for group in groups_of(results) if all(run.attention for run in group.runs)]

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        deepest = 0
        for group, (colour, marker, line) in zip(groups, _looks(groups), strict=True):
            layers = range(min(len(run.attention) for run in group.runs))
            deepest = max(deepest, len(layers))
            found = [group.over_seeds(_layer(layer)) for layer in layers]
            points = [one for one in found if one is not None]
            axes.errorbar(
                [layer + 1 for layer in layers], [one.mean for one in points],
                yerr=[one.error or 0 for one in points], color=colour, marker=marker, capsize=3,
                linestyle=line, label=shown(group.label, 40),
            )  # fmt: skip
        axes.set_xticks(range(1, deepest + 1))
        axes.set_xlabel("layer")
        axes.set_ylabel("share of attention")
        axes.set_title(shown(title, TITLE_WIDTH), fontsize=11, pad=12)
        if groups:
            figure.legend(loc="outside right upper", fontsize=8.5)

    return drawn(draw, 8.0, 3.9)


def learning(results: Sequence[RunResult], title: str) -> Plot:
    """Smoothed training accuracy by step, a line for each run; a triangle where it lifts off."""
    groups = groups_of(results)

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        for group, (colour, _, line) in zip(groups, _looks(groups), strict=True):
            for place, run in enumerate(group.runs):
                rows = [(row[0], row[3]) for row in run.curve if row[3] is not None]
                steps, values = [row[0] for row in rows], smoothed([row[1] for row in rows])
                label = shown(group.label, 40) if place == 0 else None
                axes.plot(steps, values, color=colour, linewidth=1.2, linestyle=line, label=label)
                if run.lift_off in steps:
                    at = steps.index(run.lift_off)
                    axes.plot(
                        steps[at], values[at], "^", color=colour, markersize=8,
                        markeredgecolor="white", zorder=5,
                    )  # fmt: skip
        axes.set_xlabel("step")
        axes.set_ylabel("training accuracy")
        axes.set_title(shown(title, TITLE_WIDTH), fontsize=11, pad=12)
        figure.legend(loc="outside right upper", fontsize=8.5)

    return drawn(draw, 8.0, 3.9)


def _looks(groups: Sequence[Group]) -> list[tuple[tuple[float, float, float], str, str]]:
    """A colour for each arm, darker along the axis, a marker, and a line, which is dashed where
    colours begin again."""
    arms = list(dict.fromkeys(group.arm for group in groups))
    found = []
    for group in groups:
        mine = [one.x for one in groups if one.arm == group.arm]
        part = 1.0 if len(mine) == 1 else mine.index(group.x) / (len(mine) - 1)
        number = arms.index(group.arm)
        colour = shade(COLOURS[number % len(COLOURS)], 0.35 + 0.65 * part)
        line = "-" if number < len(COLOURS) else "--"
        found.append((colour, MARKERS[number % len(MARKERS)], line))
    return found


def _layer(number: int) -> Measure:
    return lambda run: run.attention[number].value
