"""Write drawn scenes to disk as SA-1B and COCO would have them, with exact depth beside them."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

import orjson
from PIL import Image

from sgt_data.errors import RequestError
from sgt_data.scenes.depth import depth_rule, inverse_depth
from sgt_data.scenes.png import grey16_png, palette_png, rgb_png
from sgt_data.scenes.scene import Scene, draw_scene
from sgt_data.scenes.staging import STAGINGS, Scenes
from sgt_data.scenes.write_coco import CocoAnnotations, stuff_palette
from sgt_data.scenes.write_sa1b import add_pair, sa1b_record

Form = Literal["sa1b", "coco"]
FORMS: Final[tuple[Form, ...]] = get_args(Form)

_SMALLEST, _LARGEST = 32, 4096
_JPEG_QUALITY = 95
_UNSAID: Final = {"scenes": "varied", "forms": list(FORMS)}
"""What holds of a `sample.json` that does not say it."""


@dataclass(frozen=True, slots=True)
class SampleSummary:
    """What `write_samples` wrote: pictures per form, SA-1B masks and tars, COCO annotations."""

    directory: str
    scenes: Scenes
    forms: tuple[Form, ...]
    images: int
    tars: int
    masks: int
    instances: int
    crowds: int
    segments: int


def sa1b_scene(
    seed: int, position: int, width: int, height: int, scenes: Scenes = "varied"
) -> Scene:
    """The scene of SA-1B picture `sa_<position + 1>`: the even ones of the stream `seed`."""
    return draw_scene(seed, 2 * position, width, height, scenes)


def coco_scene(
    seed: int, position: int, width: int, height: int, scenes: Scenes = "varied"
) -> Scene:
    """The scene of COCO picture `position + 1`: the odd ones of the stream `seed`."""
    return draw_scene(seed, 2 * position + 1, width, height, scenes)


def write_samples(
    directory: str,
    images: int,
    *,
    seed: int = 0,
    width: int = 640,
    height: int = 480,
    scenes: Scenes = "varied",
    forms: Collection[Form] = FORMS,
    pictures_per_tar: int = 1000,
    on_picture: Callable[[], None] | None = None,
) -> SampleSummary:
    """Write `images` scenes in SA-1B's form and as many others in COCO's form.

    `directory` gets `sa1b/`, `coco/` and `depth/`; the same arguments give the same bytes, and a
    run that was cut short may simply be repeated. `scenes` says what they show, `forms` which
    forms are written: what one holds does not depend on the other. `on_picture` is called after
    each picture of each form.

    Raises:
        RequestError: an argument is out of range, or the directory holds another sample.
    """
    _check(images, width, height, pictures_per_tar)
    _check_names(scenes, forms)
    root = Path(directory)
    written = tuple(form for form in FORMS if form in forms)
    wanted = {
        "images": images,
        "seed": seed,
        "width": width,
        "height": height,
        "pictures_per_tar": pictures_per_tar,
        "scenes": scenes,
        "forms": list(written),
    }
    _claim(root, wanted)
    notify = on_picture or _nothing
    series = _Series(seed, width, height, scenes, images)
    _write(root / "depth" / "depth.json", orjson.dumps(depth_rule(width, height)))
    tars, masks = 0, 0
    annotations = CocoAnnotations(STAGINGS[scenes].crowds)
    if "sa1b" in written:
        tars, masks = _write_sa1b(root, series, pictures_per_tar, notify)
    if "coco" in written:
        _write_coco(root, series, annotations, notify)
    return SampleSummary(
        directory=directory,
        scenes=scenes,
        forms=written,
        images=images,
        tars=tars,
        masks=masks,
        instances=len(annotations.instances),
        crowds=sum(row["iscrowd"] for row in annotations.instances),
        segments=sum(len(row["segments_info"]) for row in annotations.panoptic),
    )


@dataclass(frozen=True, slots=True)
class _Series:
    """The scenes of a sample."""

    seed: int
    width: int
    height: int
    scenes: Scenes
    images: int

    def sa1b(self, position: int) -> Scene:
        return sa1b_scene(self.seed, position, self.width, self.height, self.scenes)

    def coco(self, position: int) -> Scene:
        return coco_scene(self.seed, position, self.width, self.height, self.scenes)


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


def _check_names(scenes: str, forms: Collection[str]) -> None:
    if scenes not in STAGINGS:
        raise RequestError(f"scenes: found {scenes!r}; allowed: {', '.join(STAGINGS)}")
    unknown = sorted(set(forms) - set(FORMS))
    if unknown or not forms:
        found = repr(unknown[0]) if unknown else "none"
        raise RequestError(f"forms: found {found}; allowed: {', '.join(FORMS)}")


def _claim(root: Path, wanted: dict[str, Any]) -> None:
    """Note the arguments in `sample.json`, or refuse a directory with other contents."""
    marker = root / "sample.json"
    if marker.exists():
        found = {**_UNSAID, **orjson.loads(marker.read_bytes())}
        for name, value in wanted.items():
            if found.get(name) != value:
                raise RequestError(
                    f"{root} holds another sample: {name} is {_said(found.get(name))} there, "
                    f"{_said(value)} here; choose another directory"
                )
        return
    for name in ("sa1b", "coco", "depth"):
        if (root / name).exists():
            raise RequestError(f"{root / name} exists and is no sample; choose another directory")
    _write(marker, orjson.dumps(wanted, option=orjson.OPT_INDENT_2))


def _said(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _write_sa1b(
    root: Path, series: _Series, pictures_per_tar: int, notify: Callable[[], None]
) -> tuple[int, int]:
    """Write tars and depth; return the numbers of tars and masks."""
    masks = 0
    starts = range(0, series.images, pictures_per_tar)
    (root / "sa1b").mkdir(parents=True, exist_ok=True)
    for number, start in enumerate(starts):
        path = root / "sa1b" / f"sa_{number:06d}.tar"
        part = path.with_suffix(".tar.part")
        with tarfile.open(part, "w", format=tarfile.USTAR_FORMAT) as tar:
            for position in range(start, min(start + pictures_per_tar, series.images)):
                scene = series.sa1b(position)
                record = sa1b_record(scene, position + 1, series.seed)
                add_pair(tar, record, _jpeg(scene))
                _write(root / "depth" / f"sa_{position + 1}.png", _depth_png(scene))
                masks += len(record["annotations"])
                notify()
        os.replace(part, path)
    return len(starts), masks


def _write_coco(
    root: Path, series: _Series, annotations: CocoAnnotations, notify: Callable[[], None]
) -> None:
    """Write pictures, maps and depth, then the annotation files."""
    folder = root / "coco" / "annotations"
    palette = stuff_palette()
    for position in range(series.images):
        scene = series.coco(position)
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
