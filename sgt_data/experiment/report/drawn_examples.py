"""A few targets that a run generates, kept beside its result, and shown for all arms together."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import orjson
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from sgt_data.errors import CorpusError
from sgt_data.experiment.report.plot_style import Plot, drawn, shown
from sgt_data.files.writing import write_atomic

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COUNT = 6
_GAP = 2
_TEXTS = "instructions"
Strip = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Examples:
    """Of one run and one proxy.

    Attributes:
        pictures, targets, generated: strips [S, n S, 3] of n pictures side by side.
        texts: n instructions.
    """

    pictures: Strip
    targets: Strip
    generated: Strip
    texts: tuple[str, ...]


def write_examples(place: Path, found: Examples) -> None:
    """One PNG: pictures, targets and what was generated, below each other."""
    facts, out = PngInfo(), io.BytesIO()
    facts.add_itxt(_TEXTS, orjson.dumps(found.texts).decode())
    rows = np.concatenate([found.pictures, found.targets, found.generated])
    Image.fromarray(rows).save(out, "PNG", pnginfo=facts)
    write_atomic(str(place), out.getvalue())


def read_examples(place: Path) -> Examples | None:
    """None where there are none.

    Raises:
        CorpusError: the file is damaged.
    """
    if not place.exists():
        return None
    try:
        with Image.open(place, formats=["PNG"]) as image:
            image.load()
            texts = tuple(map(str, orjson.loads(image.info[_TEXTS].encode())))
            pictures, targets, generated = np.split(np.asarray(image.convert("RGB")), 3)
    except (OSError, ValueError, KeyError, SyntaxError) as why:
        raise CorpusError(f"{place} holds no examples of a run: {why!r:.80}") from why
    return Examples(pictures, targets, generated, texts)


def as_pixels(picture: NDArray[np.floating]) -> NDArray[np.uint8]:
    """[3, S, S] in -1 to 1 -> [S, S, 3]."""
    levels = (np.clip(picture, -1, 1).transpose(1, 2, 0) + 1) * 127.5
    pixels: NDArray[np.uint8] = np.round(levels).astype(np.uint8)
    return pixels


def examples_plot(by_proxy: Mapping[str, Mapping[str, Examples]]) -> Plot:
    """For each proxy a row of pictures, of targets, and of what each arm generated."""
    rows: list[tuple[str, Strip, Sequence[str]]] = []
    for proxy, arms in by_proxy.items():
        first = next(iter(arms.values()))
        rows += [("picture", first.pictures, first.texts), (f"target: {proxy}", first.targets, ())]
        rows += [(arm, found.generated, ()) for arm, found in arms.items()]

    def draw(figure: Figure) -> None:
        every = figure.subplots(len(rows), 1, squeeze=False)[:, 0]
        for axes, (label, strip, texts) in zip(every, rows, strict=True):
            side = strip.shape[0]
            axes.imshow(_apart(strip), interpolation="nearest")
            axes.set_xticks([])
            axes.set_yticks([side / 2], [shown(label, 18, 3)], fontsize=8)
            axes.tick_params(length=0)
            axes.spines[:].set_visible(False)
            axes.grid(visible=False)
            for number, text in enumerate(texts):
                across = number * (side + _GAP) + side / 2
                axes.text(
                    across, -0.06 * side, shown(text, 25, 4), fontsize=5, ha="center", va="bottom"
                )

    blocks = len(by_proxy)
    return drawn(draw, 1.5 + 0.98 * COUNT, 0.99 * len(rows) + 0.4 * blocks)


def _apart(strip: Strip) -> Strip:
    """The pictures of a strip with white between them."""
    side = strip.shape[0]
    gap = np.full((side, _GAP, 3), 255, np.uint8)
    parts = [strip[:, start : start + side] for start in range(0, strip.shape[1], side)]
    return np.concatenate([one for part in parts for one in (part, gap)][:-1], axis=1)
