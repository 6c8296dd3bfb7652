"""Plots of what happens within runs: attention by layer, and validation accuracy by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sgt_data.experiment.measure.run_result import RunResult
from sgt_data.experiment.report.groups import Group, Measure, even_attention, groups_of
from sgt_data.experiment.report.plot_style import (
    COLOURS,
    DASHED,
    MARKERS,
    TITLE_WIDTH,
    Plot,
    mixed_with_white,
    plot_text,
    render_plot,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def attention_plot(results: Sequence[RunResult], title: str) -> Plot:
    """Plot the share of attention to visual tokens by layer, one line per arm and axis value."""
    groups = [group for group in groups_of(results) if all(run.attention for run in group.runs)]

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        deepest = 0
        for group, style in zip(groups, _line_styles(groups), strict=True):
            layers = range(min(len(run.attention) for run in group.runs))
            deepest = max(deepest, len(layers))
            means = [
                mean
                for layer in layers
                if (mean := group.over_seeds(_layer_attention(layer))) is not None
            ]
            axes.errorbar(
                [layer + 1 for layer in layers], [mean.mean for mean in means],
                yerr=[mean.reach for mean in means], color=style.colour, marker=style.marker,
                capsize=3, linestyle=style.line, label=plot_text(group.label, 40),
            )  # fmt: skip
        even = list(even_attention(results).values())[:-1]
        axes.plot(range(1, len(even) + 1), even, **DASHED, label="even attention")
        axes.set_xticks(range(1, deepest + 1))
        axes.set_xlabel("layer")
        axes.set_ylabel("share of attention")
        axes.set_title(plot_text(title, TITLE_WIDTH), fontsize=11, pad=12)
        if groups:
            figure.legend(loc="outside right upper", fontsize=8.5)

    return render_plot(draw, 8.0, 3.9)


def learning_plot(results: Sequence[RunResult], title: str) -> Plot:
    """Plot validation accuracy by step, one line per run, with a triangle at lift-off.

    Args:
        results: results of all runs; those without a validation curve are left out.
        title: title of the plot.
    """
    groups = groups_of([result for result in results if result.validation_curve])

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        for group, style in zip(groups, _line_styles(groups), strict=True):
            for place, run in enumerate(group.runs):
                curve = dict(run.validation_curve)
                label = plot_text(group.label, 40) if place == 0 else None
                axes.plot(
                    list(curve), list(curve.values()), color=style.colour, linewidth=1.2,
                    linestyle=style.line, label=label,
                )  # fmt: skip
                if run.lift_off in curve:
                    axes.plot(
                        run.lift_off, curve[run.lift_off], "^", color=style.colour, markersize=8,
                        markeredgecolor="white", zorder=5,
                    )  # fmt: skip
        axes.set_xlabel("step")
        axes.set_ylabel("validation accuracy")
        axes.set_title(plot_text(title, TITLE_WIDTH), fontsize=11, pad=12)
        figure.legend(loc="outside right upper", fontsize=8.5)

    return render_plot(draw, 8.0, 3.9)


@dataclass(frozen=True, slots=True)
class _LineStyle:
    colour: tuple[float, float, float]
    marker: str
    line: str


def _line_styles(groups: Sequence[Group]) -> list[_LineStyle]:
    """A style for each group: a colour per arm, darker along the axis.

    Lines are dashed where the colours repeat.
    """
    arms = list(dict.fromkeys(group.arm for group in groups))
    styles = []
    for group in groups:
        values = [other.x for other in groups if other.arm == group.arm]
        part = 1.0 if len(values) == 1 else values.index(group.x) / (len(values) - 1)
        number = arms.index(group.arm)
        colour = mixed_with_white(COLOURS[number % len(COLOURS)], 0.35 + 0.65 * part)
        line = "-" if number < len(COLOURS) else "--"
        styles.append(_LineStyle(colour, MARKERS[number % len(MARKERS)], line))
    return styles


def _layer_attention(layer: int) -> Measure:
    return lambda run: run.attention[layer].share.value
