"""One SA-1B picture -> one sample, with the libraries that people use: json, pycocotools, Pillow.

All peers call this module, and choose one of two ways to the same target:

- `full` paints masks on a canvas of the picture's own size and shrinks the canvas.
- `shrunk` shrinks every decoded mask within its box, and paints at the output size. It also lets
  libjpeg decode at half scale (`Image.draft`), and writes a palette PNG with little compression.
  This is what an engineer ends with who profiles the first way; it still decodes every mask.

The target is the same as ours: largest mask first, the label of an output pixel is that of the
source pixel under its centre (which is Pillow's NEAREST), black background, distinct colours.
"""

from __future__ import annotations

import io
import json
import random
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pycocotools import mask as coco_mask

Painting = Literal["full", "shrunk"]

LONGER_SIDE, MULTIPLE_OF = 1024, 16
JPEG_QUALITY, SUBSAMPLING = 95, "4:2:0"


def sample(
    image_id: str,
    picture: bytes,
    annotation: bytes,
    instructions: Sequence[str],
    painting: Painting,
) -> dict[str, Any]:
    """A sample as `webdataset.TarWriter` takes it, its members as bytes."""
    annotations = json.loads(annotation)["annotations"]
    annotations.sort(key=lambda mask: (-mask["area"], mask["id"]))
    draw = _full if painting == "full" else _shrunk
    resized, target = draw(picture, annotations, int(image_id.removeprefix("sa_")))
    jpeg = io.BytesIO()
    resized.save(jpeg, "JPEG", quality=JPEG_QUALITY, subsampling=SUBSAMPLING)
    chosen = random.Random(image_id).choice(instructions)
    return {
        "__key__": image_id,
        "input.jpg": jpeg.getvalue(),
        "target.png": target,
        "txt": chosen.encode(),
    }


def _full(
    picture: bytes, annotations: Sequence[dict[str, Any]], seed: int
) -> tuple[Image.Image, bytes]:
    with Image.open(io.BytesIO(picture)) as stored:
        image = stored.convert("RGB")
    size = _output_size(*image.size)
    colours = _colours(len(annotations), seed)
    canvas = np.zeros((image.height, image.width, 3), np.uint8)
    for colour, mask in zip(colours[1:], annotations, strict=True):
        canvas[coco_mask.decode(mask["segmentation"]).view(bool)] = colour
    png = io.BytesIO()
    Image.fromarray(canvas).resize(size, Image.Resampling.NEAREST).save(png, "PNG")
    return image.resize(size, Image.Resampling.BICUBIC), png.getvalue()


def _shrunk(
    picture: bytes, annotations: Sequence[dict[str, Any]], seed: int
) -> tuple[Image.Image, bytes]:
    with Image.open(io.BytesIO(picture)) as stored:
        width, height = stored.size
        size = _output_size(width, height)
        stored.draft("RGB", size)
        image = stored.convert("RGB").resize(size, Image.Resampling.BICUBIC)
    columns = _sampled(size[0], width)
    rows = _sampled(size[1], height)
    labels = np.zeros((size[0], size[1]), np.uint16)  # column by column, as the masks are
    for label, mask in enumerate(annotations, 1):
        decoded = coco_mask.decode(mask["segmentation"]).T
        left, top, across, down = mask["bbox"]
        x = slice(*np.searchsorted(columns, (left, left + across + 1)))
        y = slice(*np.searchsorted(rows, (top, top + down + 1)))
        inside = decoded[columns[x, None], rows[y]].view(bool)
        labels[x, y][inside] = label
    return image, _png(labels.T, _colours(len(annotations), seed))


def _png(labels: NDArray[np.uint16], colours: NDArray[np.uint8]) -> bytes:
    png = io.BytesIO()
    if len(colours) > 256:
        Image.fromarray(colours[labels]).save(png, "PNG", compress_level=1)
    else:
        image = Image.fromarray(labels.astype(np.uint8))
        image.putpalette(colours.tobytes())
        image.save(png, "PNG", compress_level=1)
    return png.getvalue()


def _sampled(outputs: int, pixels: int) -> NDArray[np.int64]:
    """The source pixel under the centre of each output pixel."""
    return (2 * np.arange(outputs) + 1) * pixels // (2 * outputs)


def _colours(masks: int, seed: int) -> NDArray[np.uint8]:
    """[masks + 1, 3] distinct colours, the first of which is black."""
    packed = np.random.default_rng(seed).choice((1 << 24) - 1, masks, replace=False) + 1
    table = np.zeros((masks + 1, 3), np.uint8)
    table[1:] = packed[:, None] >> np.array([16, 8, 0]) & 255
    return table


def _output_size(width: int, height: int) -> tuple[int, int]:
    scale = LONGER_SIDE / max(width, height)
    return (
        MULTIPLE_OF * round(width * scale / MULTIPLE_OF),
        MULTIPLE_OF * round(height * scale / MULTIPLE_OF),
    )
