"""Write drawn scenes to disk as SA-1B and COCO would have them, with exact depth beside them."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import orjson
from PIL import Image

from sgt_data.errors import RequestError
from sgt_data.sources.synthetic.depth import depth_rule, inverse_depth
from sgt_data.sources.synthetic.png import grey16_png, palette_png, rgb_png
from sgt_data.sources.synthetic.scene import Scene, draw_scene
from sgt_data.sources.synthetic.write_coco import CocoAnnotations, stuff_palette
from sgt_data.sources.synthetic.write_sa1b import add_pair, sa1b_record

_SMALLEST, _LARGEST = 32, 4096
_JPEG_QUALITY = 95


@dataclass(frozen=True, slots=True)
class SampleSummary:
    """What `write_samples` wrote: pictures per form, SA-1B masks and tars, COCO annotations."""

    directory: str
    images: int
    tars: int
    masks: int
    instances: int
    crowds: int
    segments: int


def sa1b_scene(seed: int, position: int, width: int, height: int) -> Scene:
    """The scene of SA-1B picture `sa_<position + 1>`: the even ones of the stream `seed`."""
    return draw_scene(seed, 2 * position, width, height)


def coco_scene(seed: int, position: int, width: int, height: int) -> Scene:
    """The scene of COCO picture `position + 1`: the odd ones of the stream `seed`."""
    return draw_scene(seed, 2 * position + 1, width, height)


def write_samples(
    directory: str,
    images: int,
    *,
    seed: int = 0,
    width: int = 640,
    height: int = 480,
    pictures_per_tar: int = 1000,
    on_picture: Callable[[], None] | None = None,
) -> SampleSummary:
    """Write `images` scenes in SA-1B's form and as many others in COCO's form.

    `directory` gets `sa1b/`, `coco/` and `depth/`; the same arguments give the same bytes, and a
    run that was cut short may simply be repeated. `on_picture` is called after each of the
    2 * `images` pictures.

    Raises:
        RequestError: an argument is out of range, or the directory holds another sample.
    """
    _check(images, width, height, pictures_per_tar)
    root = Path(directory)
    wanted = {
        "images": images,
        "seed": seed,
        "width": width,
        "height": height,
        "pictures_per_tar": pictures_per_tar,
    }
    _claim(root, wanted)
    notify = on_picture or _nothing
    _write(root / "depth" / "depth.json", orjson.dumps(depth_rule(width, height)))
    tars, masks = _write_sa1b(root, images, seed, (width, height), pictures_per_tar, notify)
    annotations = _write_coco(root, images, seed, (width, height), notify)
    return SampleSummary(
        directory=directory,
        images=images,
        tars=tars,
        masks=masks,
        instances=len(annotations.instances),
        crowds=sum(row["iscrowd"] for row in annotations.instances),
        segments=sum(len(row["segments_info"]) for row in annotations.panoptic),
    )


def _nothing() -> None:
    return None


def _check(images: int, width: int, height: int, pictures_per_tar: int) -> None:
    for name, value, low, high in (
        ("images", images, 1, 10_000_000),
        ("width", width, _SMALLEST, _LARGEST),
        ("height", height, _SMALLEST, _LARGEST),
        ("pictures_per_tar", pictures_per_tar, 1, 10_000_000),
    ):
        if not low <= value <= high:
            raise RequestError(f"{name}: found {value}, must be {low} to {high}")


def _claim(root: Path, wanted: dict[str, int]) -> None:
    """Note the arguments in `sample.json`, or refuse a directory with other contents."""
    marker = root / "sample.json"
    if marker.exists():
        found = orjson.loads(marker.read_bytes())
        for name, value in wanted.items():
            if found.get(name) != value:
                raise RequestError(
                    f"{root} holds another sample: {name} is {found.get(name)} there, {value} "
                    "here; choose another directory"
                )
        return
    for name in ("sa1b", "coco", "depth"):
        if (root / name).exists():
            raise RequestError(f"{root / name} exists and is no sample; choose another directory")
    _write(marker, orjson.dumps(wanted, option=orjson.OPT_INDENT_2))


def _write_sa1b(
    root: Path,
    images: int,
    seed: int,
    size: tuple[int, int],
    pictures_per_tar: int,
    notify: Callable[[], None],
) -> tuple[int, int]:
    """Write tars and depth; return the numbers of tars and masks."""
    masks = 0
    starts = range(0, images, pictures_per_tar)
    (root / "sa1b").mkdir(parents=True, exist_ok=True)
    for number, start in enumerate(starts):
        path = root / "sa1b" / f"sa_{number:06d}.tar"
        part = path.with_suffix(".tar.part")
        with tarfile.open(part, "w", format=tarfile.USTAR_FORMAT) as tar:
            for position in range(start, min(start + pictures_per_tar, images)):
                scene = sa1b_scene(seed, position, *size)
                record = sa1b_record(scene, position + 1, seed)
                add_pair(tar, record, _jpeg(scene))
                _write(root / "depth" / f"sa_{position + 1}.png", _depth_png(scene))
                masks += len(record["annotations"])
                notify()
        os.replace(part, path)
    return len(starts), masks


def _write_coco(
    root: Path, images: int, seed: int, size: tuple[int, int], notify: Callable[[], None]
) -> CocoAnnotations:
    """Write pictures, maps and depth, then the annotation files; return the annotations."""
    annotations = CocoAnnotations()
    folder = root / "coco" / "annotations"
    palette = stuff_palette()
    for position in range(images):
        scene = coco_scene(seed, position, *size)
        name = f"{position + 1:012d}"
        panoptic, pixel_map = annotations.add(scene, position + 1)
        _write(root / "coco" / "train2017" / f"{name}.jpg", _jpeg(scene))
        _write(folder / "panoptic_train2017" / f"{name}.png", rgb_png(panoptic))
        _write(
            folder / "stuff_train2017_pixelmaps" / f"{name}.png", palette_png(pixel_map, palette)
        )
        _write(root / "depth" / f"{name}.png", _depth_png(scene))
        notify()
    for file_name, document in annotations.documents().items():
        _write(folder / file_name, orjson.dumps(document))
    return annotations


def _jpeg(scene: Scene) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(scene.picture).save(stream, "JPEG", quality=_JPEG_QUALITY)
    return stream.getvalue()


def _depth_png(scene: Scene) -> bytes:
    return grey16_png(inverse_depth(scene.depth))


def _write(path: Path, body: bytes) -> None:
    """Write a file so that it is there in full or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(body)
    os.replace(part, path)
