"""Write drawn scenes to a folder in SA-1B's form and in COCO's form, with exact depth."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, get_args

import orjson
from PIL import Image

from sgt_data.errors import RequestError
from sgt_data.files.claim import differences
from sgt_data.files.writing import open_atomic, sweep_unfinished, write_atomic
from sgt_data.progress import OnProgress, Progress, ignore
from sgt_data.result import Result
from sgt_data.scenes.depth import depth_rule, inverse_depth
from sgt_data.scenes.png import grey16_png, palette_png, rgb_png
from sgt_data.scenes.scene import Scene, draw_scene
from sgt_data.scenes.staging import STAGINGS, Scenes
from sgt_data.scenes.write_coco import CocoAnnotations, stuff_palette
from sgt_data.scenes.write_sa1b import add_picture, sa1b_record

Form = Literal["sa1b", "coco"]
FORMS: Final[tuple[Form, ...]] = get_args(Form)

_SMALLEST, _LARGEST = 32, 4096
_JPEG_QUALITY = 95
_MARKER: Final = "sample.json"
_MARKER_DEFAULTS: Final = {"scenes": "varied", "forms": list(FORMS)}
"""Values of the fields that some `sample.json` do not have."""

# not synced: a file that a power cut takes is drawn again, with the same bytes
_write_file = partial(write_atomic, synced=False)


@dataclass(slots=True, kw_only=True)
class SampleSummary(Result):
    """What `write_samples` wrote.

    Attributes:
        directory: the folder.
        scenes: kind of the scenes.
        forms: the forms that were written.
        images: pictures of each form.
        tars: SA-1B tars.
        masks: SA-1B masks.
        instances: COCO instances, crowds included.
        crowds: COCO instances that are crowds.
        segments: COCO panoptic segments.
    """

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
    """The scene of COCO picture number `position + 1`: the odd ones of the stream `seed`."""
    return draw_scene(seed, 2 * position + 1, width, height, scenes)


def write_samples(
    directory: str,
    images: int,
    *,
    seed: int = 0,
    size: tuple[int, int] = (640, 480),
    scenes: Scenes = "varied",
    forms: Collection[Form] = FORMS,
    pictures_per_tar: int = 1000,
    on_progress: OnProgress = ignore,
) -> SampleSummary:
    """Draw scenes and write them in SA-1B's form and as many others in COCO's form.

    `directory` gets `sa1b/`, `coco/` and `depth/`. The same arguments give the same bytes, and a
    run that was interrupted may simply be repeated.

    Args:
        directory: local folder.
        images: pictures of each form.
        seed: of the scenes.
        size: width and height in pixels.
        scenes: what the scenes show.
        forms: which forms are written; the content of one does not depend on the other.
        pictures_per_tar: of SA-1B's form.
        on_progress: called after each picture of each form.

    Raises:
        RequestError: an argument is out of range, or the directory holds another sample.
        StorageError: a file cannot be written.
    """
    width, height = size
    _check_numbers(images, width, height, pictures_per_tar)
    _check_names(scenes, forms)
    root = Path(directory)
    chosen = tuple(form for form in FORMS if form in forms)
    identity = {
        "images": images,
        "seed": seed,
        "width": width,
        "height": height,
        "pictures_per_tar": pictures_per_tar,
        "scenes": scenes,
        "forms": list(chosen),
    }
    _claim(root, identity)
    sweep_unfinished(directory)
    count = _PictureCount(images * len(chosen), on_progress)
    series = _Series(seed, width, height, scenes, images)
    _write_file(f"{root}/depth/depth.json", orjson.dumps(depth_rule(width, height)))
    tars, masks = 0, 0
    annotations = CocoAnnotations(STAGINGS[scenes].crowds)
    if "sa1b" in chosen:
        tars, masks = _write_sa1b(root, series, pictures_per_tar, count.add)
    if "coco" in chosen:
        _write_coco(root, series, annotations, count.add)
    return SampleSummary(
        complete=True,
        directory=directory,
        scenes=scenes,
        forms=chosen,
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


@dataclass(slots=True)
class _PictureCount:
    """Counts written pictures and reports the count."""

    total: int
    on_progress: OnProgress
    done: int = 0

    def add(self) -> None:
        self.done += 1
        self.on_progress(Progress(self.done, self.total))


def _check_numbers(images: int, width: int, height: int, pictures_per_tar: int) -> None:
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
        name = repr(unknown[0]) if unknown else "none"
        raise RequestError(f"forms: found {name}; allowed: {', '.join(FORMS)}")


def _claim(root: Path, identity: dict[str, Any]) -> None:
    """Note the arguments in `sample.json`, or refuse a directory with other contents.

    Not `files.claim.claim`: other files may lie in the directory, and a marker may lack fields.
    """
    marker = root / _MARKER
    if marker.exists():
        claimed = {**_MARKER_DEFAULTS, **orjson.loads(marker.read_bytes())}
        fields = [difference.path for difference in differences(claimed, identity)]
        changes = [
            f"{field} is {_in_words(claimed.get(field))} there, {_in_words(identity[field])} here"
            for field in fields
            if field in identity
        ]
        if changes:
            raise RequestError(
                f"{root} holds another sample: {'; '.join(changes)}; choose another directory"
            )
        return
    for name in ("sa1b", "coco", "depth"):
        if (root / name).exists():
            raise RequestError(f"{root / name} exists and is no sample; choose another directory")
    _write_file(str(marker), orjson.dumps(identity, option=orjson.OPT_INDENT_2))


def _in_words(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _write_sa1b(
    root: Path, series: _Series, pictures_per_tar: int, count_picture: Callable[[], None]
) -> tuple[int, int]:
    """Write tars and depth; return the numbers of tars and masks."""
    masks = 0
    starts = range(0, series.images, pictures_per_tar)
    for number, start in enumerate(starts):
        with (
            open_atomic(f"{root}/sa1b/sa_{number:06d}.tar", synced=False) as file,
            tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar,  # type: ignore[call-overload]
        ):
            for position in range(start, min(start + pictures_per_tar, series.images)):
                scene = series.sa1b(position)
                record = sa1b_record(scene, position + 1, series.seed)
                add_picture(tar, record, _jpeg(scene))
                _write_file(f"{root}/depth/sa_{position + 1}.png", _depth_png(scene))
                masks += len(record["annotations"])
                count_picture()
    return len(starts), masks


def _write_coco(
    root: Path, series: _Series, annotations: CocoAnnotations, count_picture: Callable[[], None]
) -> None:
    """Write pictures, maps and depth, then the annotation files."""
    folder = f"{root}/coco/annotations"
    palette = stuff_palette()
    for position in range(series.images):
        scene = series.coco(position)
        name = f"{position + 1:012d}"
        panoptic, stuff = annotations.add(scene, position + 1)
        _write_file(f"{root}/coco/train2017/{name}.jpg", _jpeg(scene))
        _write_file(f"{folder}/panoptic_train2017/{name}.png", rgb_png(panoptic))
        _write_file(f"{folder}/stuff_train2017_pixelmaps/{name}.png", palette_png(stuff, palette))
        _write_file(f"{root}/depth/{name}.png", _depth_png(scene))
        count_picture()
    for file_name, document in annotations.documents().items():
        _write_file(f"{folder}/{file_name}", orjson.dumps(document))


def _jpeg(scene: Scene) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(scene.picture).save(stream, "JPEG", quality=_JPEG_QUALITY)
    return stream.getvalue()


def _depth_png(scene: Scene) -> bytes:
    return grey16_png(inverse_depth(scene.depth))
