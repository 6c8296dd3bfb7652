"""Files of COCO train2017's size: annotations as its own in number and bytes; a zip of holes."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

PICTURES, INSTANCES = 118_287, 860_001
"""Of COCO train2017."""

WIDTH, HEIGHT = 640, 480
_CATEGORIES = [number for number in range(1, 91) if number % 9][:80]
_SHAPES = 4096  # different masks, each used again and again
_CROWDS = 0.012  # share of annotations that are crowds, with run lengths
_POINTS = 16.5  # mean corners of an outline: about 390 bytes of text in an annotation
_PICTURE_BYTES = 152_000  # mean of train2017.zip
_KINDS_OF_PICTURES = 64
_BATCH = 20_000


def write_annotations(folder: Path, pictures: int) -> int:
    """Write `instances_train2017.json` of so many pictures; the number of its annotations."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    ids = _picture_ids(pictures)
    count = round(INSTANCES / PICTURES * pictures)
    images = (
        f'{{"license": 3,"file_name": "{number:012d}.jpg","coco_url": '
        f'"http://images.cocodataset.org/train2017/{number:012d}.jpg","height": {HEIGHT},'
        f'"width": {WIDTH},"date_captured": "2013-11-14 11:18:45","flickr_url": '
        f'"http://farm9.staticflickr.com/8186/8119368305_{number:010x}_z.jpg","id": {number}}}'
        for number in ids
    )
    categories = (
        f'{{"supercategory": "kind {number % 12}","id": {number},"name": "category {number}"}}'
        for number in _CATEGORIES
    )
    with open(folder / "instances_train2017.json", "w") as file:
        file.write('{"info": {"description": "COCO 2017 Dataset","year": 2017},"licenses": ')
        file.write('[{"url": "http://creativecommons.org/licenses/by-nc-nd/2.0/","id": 3,"name": ')
        file.write('"Attribution-NonCommercial-NoDerivs License"}],')
        file.write(f'"images": [{",".join(images)}],"annotations": [')
        for number, texts in enumerate(_annotations(rng, ids, count)):
            file.write("," * bool(number) + ",".join(texts))
        file.write(f'],"categories": [{",".join(categories)}]}}')
    return count


def _picture_ids(pictures: int) -> list[int]:
    """Ids as COCO's: from 9 to 581,929, with gaps, in no order."""
    step = 581_929 // PICTURES
    ids = 9 + step * np.arange(pictures)
    return [int(number) for number in np.random.default_rng(1).permutation(ids)]


def _annotations(rng: np.random.Generator, ids: list[int], count: int) -> Iterator[list[str]]:
    polygons = [_polygon(rng) for _ in range(_SHAPES)]
    crowds = [_crowd(rng) for _ in range(_SHAPES // 64)]
    for start in range(0, count, _BATCH):
        size = min(_BATCH, count - start)
        of = rng.integers(0, len(ids), size)
        shapes = rng.integers(0, _SHAPES, size)
        crowded = rng.random(size) < _CROWDS
        kinds = rng.choice(_CATEGORIES, size)
        yield [
            f'{{"segmentation": {_shape(crowds if crowded[n] else polygons, shapes[n])},'
            f'"area": 702.1057499999998,"iscrowd": {int(crowded[n])},"image_id": {ids[of[n]]},'
            f'"bbox": [473.07,395.93,38.65,28.67],"category_id": {kinds[n]},"id": {start + n + 1}}}'
            for n in range(size)
        ]


def _shape(shapes: list[str], number: int) -> str:
    return shapes[number % len(shapes)]


def _polygon(rng: np.random.Generator) -> str:
    """The JSON of one to three outlines around a point."""
    parts = []
    for _ in range(int(rng.choice([1, 1, 1, 1, 1, 2, 3]))):
        corners = 3 + rng.geometric(1 / (_POINTS - 3))
        angles = np.sort(rng.random(corners)) * 2 * np.pi
        radius = rng.lognormal(3.6, 0.8) * rng.uniform(0.6, 1.0, corners)
        across = np.clip(rng.uniform(0, WIDTH) + radius * np.cos(angles), 0, WIDTH)
        down = np.clip(rng.uniform(0, HEIGHT) + radius * np.sin(angles), 0, HEIGHT)
        numbers = np.stack([across, down], 1).round(2).ravel()
        parts.append(f"[{','.join(f'{value:.2f}'.rstrip('0') for value in numbers)}]")
    text = f"[{','.join(parts)}]"
    return text.replace(".,", ".0,").replace(".]", ".0]")


def _crowd(rng: np.random.Generator) -> str:
    runs = rng.geometric(1 / 600, 800)
    runs = runs[: int(np.searchsorted(np.cumsum(runs), WIDTH * HEIGHT))]
    counts = [*map(int, runs), WIDTH * HEIGHT - int(runs.sum())]
    return f'{{"counts": {counts},"size": [{HEIGHT},{WIDTH}]}}'


@dataclass(frozen=True, slots=True)
class _Picture:
    """A JPEG, and the bytes and the CRC-32 that it has with zeros after it."""

    jpeg: bytes
    size: int
    crc: int


def write_zip(place: Path, pictures: int) -> int:
    """Write a zip of stored members as COCO's, in no order; its bytes.

    Each is a small JPEG with zeros after it, up to the size of a picture of COCO. The zeros are
    holes of the file.
    """
    kinds = _pictures(np.random.default_rng(2))
    entries = []
    with open(place, "wb") as file:
        for number, identity in enumerate(_picture_ids(pictures)):
            picture = kinds[number % len(kinds)]
            name = f"train2017/{identity:012d}.jpg".encode()
            entries.append(_entry(name, picture, file.tell()))
            sizes = (picture.crc, picture.size, picture.size, len(name), 0)
            file.write(struct.pack("<4s5H3I2H", b"PK\3\4", 10, 0, 0, 0, 0x4B6E, *sizes))
            file.write(name + picture.jpeg)
            file.seek(picture.size - len(picture.jpeg), 1)
        directory, start = b"".join(entries), file.tell()
        file.write(directory)
        file.write(_end(len(entries), len(directory), start))
        return file.tell()


def _pictures(rng: np.random.Generator) -> list[_Picture]:
    pictures = []
    for size in rng.lognormal(np.log(_PICTURE_BYTES) - 0.08, 0.4, _KINDS_OF_PICTURES):
        coarse = rng.integers(0, 256, (3, 4, 3), dtype=np.uint8)
        out = io.BytesIO()
        Image.fromarray(coarse).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC).save(
            out, "JPEG", quality=40
        )
        jpeg, nbytes = out.getvalue(), max(20_000, int(size))
        crc = zlib.crc32(bytes(nbytes - len(jpeg)), zlib.crc32(jpeg))
        pictures.append(_Picture(jpeg, nbytes, crc))
    return pictures


def _entry(name: bytes, picture: _Picture, offset: int) -> bytes:
    """Entry of the central directory (APPNOTE.TXT, 4.3.12), with the offset in 64 bits."""
    extra = struct.pack("<2HQ", 1, 8, offset)
    head = struct.pack(
        "<4s6H3I5H2I", b"PK\1\2", 45, 45, 0, 0, 0, 0x4B6E, picture.crc, picture.size, picture.size,
        len(name), len(extra), 0, 0, 0, 0, 0xFFFFFFFF,
    )  # fmt: skip
    return head + name + extra


def _end(count: int, size: int, start: int) -> bytes:
    """The three records that end a zip of more than 65,535 members (4.3.14 to 4.3.16)."""
    wide = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, start)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, start + size, 1)
    return (
        wide
        + locator
        + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, *[0xFFFFFFFF] * 2, 0)
    )
