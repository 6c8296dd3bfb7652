"""The look of all plots, and their files: the same bytes for the same numbers."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#000000", "#56B4E9", "#E69F00", "#8E3A80", "#CC79A7")
"""Colours of Okabe and Ito and one more, ordered so that the first differ most for every common
kind of colour vision; the shapes of markers differ too."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
TEXT_COLOUR, SOFT_COLOUR, GRID_COLOUR = "#1d1d1f", "#6b6a66", "#e3e1db"
DASHED: dict[str, Any] = {"color": SOFT_COLOUR, "linewidth": 1, "linestyle": (0, (4, 3))}
"""The line of guessing."""

TITLE_WIDTH = 90
"""Characters in a line of a title."""

_DOTS_PER_INCH = 160
_STYLE: dict[str, Any] = {
    "font.family": ["DejaVu Sans"],
    "font.size": 9.5,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.labelcolor": TEXT_COLOUR,
    "axes.edgecolor": SOFT_COLOUR,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": GRID_COLOUR,
    "grid.linewidth": 0.8,
    "xtick.color": SOFT_COLOUR,
    "ytick.color": SOFT_COLOUR,
    "xtick.labelcolor": TEXT_COLOUR,
    "ytick.labelcolor": TEXT_COLOUR,
    "text.color": TEXT_COLOUR,
    "text.parse_math": False,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.markersize": 5.5,
    "svg.hashsalt": "sgt_data",
    "svg.fonttype": "path",
    "path.simplify": False,
}


@dataclass(frozen=True, slots=True)
class Plot:
    """One plot as PNG and as SVG.

    Attributes:
        png: bytes of the PNG file.
        svg: bytes of the SVG file.
    """

    png: bytes
    svg: bytes


def render_plot(draw: Callable[[Figure], None], width: float, height: float) -> Plot:
    """Render what `draw` puts on a white figure; the files contain no time of creation.

    Args:
        draw: function that fills the figure.
        width, height: size of the figure, inches.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        cast(dict[str, Any], matplotlib.rcParams).update(_STYLE)
        figure = Figure((width, height), layout="constrained", facecolor="white")
        FigureCanvasAgg(figure)
        draw(figure)
        png, svg = io.BytesIO(), io.BytesIO()
        figure.savefig(png, format="png", dpi=_DOTS_PER_INCH, metadata={"Software": None})
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
    return Plot(png.getvalue(), svg.getvalue())


def plot_text(text: str, width: int = 26, lines: int = 2) -> str:
    """A text wrapped for a plot; characters that no font draws become `?`.

    Args:
        text: any text.
        width: characters in a line.
        lines: largest number of lines; a longer text ends with an ellipsis.
    """
    plain = "".join(sign if sign.isprintable() else "?" for sign in text)
    return "\n".join(textwrap.wrap(plain, width, max_lines=lines, placeholder="…")) or "?"


def mixed_with_white(colour: str, share: float) -> tuple[float, float, float]:
    """A colour mixed with white, RGB 0 to 1; `share` is the part of the colour itself, 0 to 1."""
    from matplotlib.colors import to_rgb

    red, green, blue = (share * level + 1 - share for level in to_rgb(colour))
    return red, green, blue


def spread_heights(heights: Sequence[float], gap: float) -> list[float]:
    """Heights near the given ones, at least `gap` apart, in the same order from below.

    Heights that are too close are moved together, about their mean.
    """
    order = sorted(range(len(heights)), key=lambda place: heights[place])
    blocks: list[list[float]] = []  # each the mean and the number of its heights
    for place in order:
        blocks.append([heights[place], 1])
        while len(blocks) > 1 and _top(blocks[-2], gap) + gap > _bottom(blocks[-1], gap):
            mean, count = blocks.pop()
            lower_mean, lower_count = blocks.pop()
            total = count + lower_count
            blocks.append([(mean * count + lower_mean * lower_count) / total, total])
    spread = [_bottom(block, gap) + gap * step for block in blocks for step in range(int(block[1]))]
    in_given_order = [0.0] * len(heights)
    for place, height in zip(order, spread, strict=True):
        in_given_order[place] = height
    return in_given_order


def _bottom(block: Sequence[float], gap: float) -> float:
    return block[0] - gap * (block[1] - 1) / 2


def _top(block: Sequence[float], gap: float) -> float:
    return block[0] + gap * (block[1] - 1) / 2
