"""A few targets that a run generated, kept as one PNG beside the run's result."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from sgt_data.errors import CorpusError
from sgt_data.files.writing import write_atomic
from sgt_data.foreign_errors import in_words
from sgt_data.value_text import cut_text

EXAMPLE_COUNT = 6
"""Number of pictures that are kept of a run and a proxy."""

_TEXTS = "instructions"
Strip = NDArray[np.uint8]
"""Pictures in a row [S, n S, 3] uint8 RGB."""


@dataclass(frozen=True, slots=True)
class DrawnExamples:
    """Pictures, targets and generated targets of one run and one proxy.

    Attributes:
        pictures: n input pictures in a row.
        targets: their stored targets in a row.
        generated: the generated targets in a row.
        texts: the n instructions.
    """

    pictures: Strip
    targets: Strip
    generated: Strip
    texts: tuple[str, ...]


def write_drawn_examples(path: Path, examples: DrawnExamples) -> None:
    """Write one PNG with the rows of pictures, targets and generated targets below each other."""
    info, out = PngInfo(), io.BytesIO()
    info.add_itxt(_TEXTS, orjson.dumps(examples.texts).decode())
    rows = np.concatenate([examples.pictures, examples.targets, examples.generated])
    Image.fromarray(rows).save(out, "PNG", pnginfo=info)
    write_atomic(str(path), out.getvalue())


def read_drawn_examples(path: Path) -> DrawnExamples | None:
    """Read the examples of a run; None where the file does not exist.

    Raises:
        CorpusError: the file is damaged.
    """
    if not path.exists():
        return None
    try:
        with Image.open(path, formats=["PNG"]) as image:
            image.load()
            texts = tuple(map(str, orjson.loads(image.info[_TEXTS].encode())))
            pictures, targets, generated = np.split(np.asarray(image.convert("RGB")), 3)
    except (OSError, ValueError, KeyError, SyntaxError) as why:
        raise CorpusError(
            f"{path} holds no examples of a run: {cut_text(in_words(why), 80)}"
        ) from why
    return DrawnExamples(pictures, targets, generated, texts)


def to_pixels(picture: NDArray[np.floating]) -> NDArray[np.uint8]:
    """A picture [3, S, S] in -1 to 1 as pixels [S, S, 3] uint8."""
    levels = (np.clip(picture, -1, 1).transpose(1, 2, 0) + 1) * 127.5
    pixels: NDArray[np.uint8] = np.round(levels).astype(np.uint8)
    return pixels
