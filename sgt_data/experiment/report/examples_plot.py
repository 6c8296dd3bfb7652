"""The plot of generated targets: for each proxy, rows of pictures, targets and every arm's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from sgt_data.experiment.measure.drawn_examples import EXAMPLE_COUNT, DrawnExamples, Strip
from sgt_data.experiment.report.plot_style import Plot, plot_text, render_plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_GAP = 2


def examples_plot(by_proxy: Mapping[str, Mapping[str, DrawnExamples]]) -> Plot:
    """Plot generated targets by proxy and arm, with the instruction above each picture."""
    rows: list[tuple[str, Strip, Sequence[str]]] = []
    for proxy, arms in by_proxy.items():
        first = next(iter(arms.values()))
        rows += [("picture", first.pictures, first.texts), (f"target: {proxy}", first.targets, ())]
        rows += [(arm, examples.generated, ()) for arm, examples in arms.items()]

    def draw(figure: Figure) -> None:
        all_axes = figure.subplots(len(rows), 1, squeeze=False)[:, 0]
        for axes, row in zip(all_axes, rows, strict=True):
            _draw_row(axes, *row)

    height = 0.99 * len(rows) + 0.4 * len(by_proxy)
    return render_plot(draw, 1.5 + 0.98 * EXAMPLE_COUNT, height)


def _draw_row(axes: Axes, label: str, strip: Strip, texts: Sequence[str]) -> None:
    side = strip.shape[0]
    axes.imshow(_with_gaps(strip), interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([side / 2], [plot_text(label, 18, 3)], fontsize=8)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.grid(visible=False)
    for number, text in enumerate(texts):
        across = number * (side + _GAP) + side / 2
        axes.text(
            across, -0.06 * side, plot_text(text, 25, 4), fontsize=5, ha="center", va="bottom"
        )


def _with_gaps(strip: Strip) -> Strip:
    """The pictures of a strip with white gaps between them."""
    side = strip.shape[0]
    gap = np.full((side, _GAP, 3), 255, np.uint8)
    parts = []
    for start in range(0, strip.shape[1], side):
        parts += [strip[:, start : start + side], gap]
    return np.concatenate(parts[:-1], axis=1)
