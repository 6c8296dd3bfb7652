"""How plots look, and how they become files: the same bytes for the same numbers."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#000000", "#56B4E9", "#E69F00", "#8E3A80", "#CC79A7")
"""Okabe and Ito's and a plum, in such an order that the first ones are told apart best by any eye;
shapes of markers repeat what they say."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
INK, SOFT, LINE = "#1d1d1f", "#6b6a66", "#e3e1db"
_DOTS = 160
_STYLE: dict[str, Any] = {
    "font.family": ["DejaVu Sans"],
    "font.size": 9.5,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.labelcolor": INK,
    "axes.edgecolor": SOFT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.8,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "text.color": INK,
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
    """One picture in both forms."""

    png: bytes
    svg: bytes


def drawn(draw: Callable[[Figure], None], width: float, height: float) -> Plot:
    """What `draw` puts on a white page of so many inches; nothing in the files tells the time."""
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
        figure.savefig(png, format="png", dpi=_DOTS, metadata={"Software": None})
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
    return Plot(png.getvalue(), svg.getvalue())


TITLE_WIDTH = 90


def shown(text: str, width: int = 26, lines: int = 2) -> str:
    """A text for a plot: what no font draws becomes `?`, long ones go on in further lines."""
    plain = "".join(sign if sign.isprintable() else "?" for sign in text)
    return "\n".join(textwrap.wrap(plain, width, max_lines=lines, placeholder="…")) or "?"


def shade(colour: str, kept: float) -> tuple[float, float, float]:
    """A colour mixed with white: `kept` is its own share, 0 to 1."""
    from matplotlib.colors import to_rgb

    red, green, blue = (kept * one + 1 - kept for one in to_rgb(colour))
    return red, green, blue


def spread(wanted: Sequence[float], gap: float) -> list[float]:
    """Heights near the wanted ones and at least `gap` apart, in the same order from below: those
    that crowd are moved as one, about their middle."""
    order = sorted(range(len(wanted)), key=lambda place: wanted[place])
    blocks: list[list[float]] = []
    for place in order:
        blocks.append([wanted[place], 1])
        while len(blocks) > 1 and _top(blocks[-2], gap) + gap > _bottom(blocks[-1], gap):
            middle, count = blocks.pop()
            other, others = blocks.pop()
            both = count + others
            blocks.append([(middle * count + other * others) / both, both])
    heights = [
        _bottom(block, gap) + gap * step for block in blocks for step in range(int(block[1]))
    ]
    found = [0.0] * len(wanted)
    for place, height in zip(order, heights, strict=True):
        found[place] = height
    return found


def _bottom(block: Sequence[float], gap: float) -> float:
    return block[0] - gap * (block[1] - 1) / 2


def _top(block: Sequence[float], gap: float) -> float:
    return block[0] + gap * (block[1] - 1) / 2
