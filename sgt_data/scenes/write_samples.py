"""Write drawn scenes to a folder in SA-1B's and COCO's form, with exact depth and normals."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import orjson
from PIL import Image

from sgt_data import checks
from sgt_data.files.output_place import check_output
from sgt_data.files.unfinished import sweep_unfinished
from sgt_data.files.urls import Location, plain
from sgt_data.files.writing import open_atomic, write_atomic
from sgt_data.pictures.normal_colours import colours_of_normals
from sgt_data.progress import OnProgress, Progress, ProgressTo
from sgt_data.progress_display import shown
from sgt_data.result import Result
from sgt_data.scenes.depth import depth_rule, inverse_depth
from sgt_data.scenes.normals import Intrinsics, normals_rule
from sgt_data.scenes.png import grey16_png, palette_png, rgb_png
from sgt_data.scenes.sample_identity import (
    FORMS,
    Form,
    SampleIdentity,
    check_names,
)
from sgt_data.scenes.scene import Scene, draw_scene
from sgt_data.scenes.staging import STAGINGS, Scenes
from sgt_data.scenes.write_coco import CocoAnnotations, stuff_palette
from sgt_data.scenes.write_sa1b import add_picture, sa1b_record

_JPEG_QUALITY = 95

# not synced: a file that a power cut takes is drawn again, with the same bytes
_write_file = partial(write_atomic, synced=False)


@dataclass(slots=True, kw_only=True, repr=False)
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
    directory: Location,
    images: int,
    *,
    seed: int = 0,
    size: tuple[int, int] = (640, 480),
    scenes: Scenes = "varied",
    forms: Collection[Form] | Form = FORMS,
    pictures_per_tar: int = 1000,
    progress: ProgressTo = False,
) -> SampleSummary:
    """Draw scenes and write them in SA-1B's form and as many others in COCO's form.

    `directory` gets `sa1b/`, `coco/`, `depth/`, `normals/` and `intrinsics.json`. The same
    arguments give the same bytes, and a run that was interrupted may simply be repeated.

    Args:
        directory: local folder.
        images: pictures of each form.
        seed: of the scenes.
        size: width and height in pixels.
        scenes: what the scenes show.
        forms: which forms are written, or the one; the content of one does not depend on the other.
        pictures_per_tar: of SA-1B's form.
        progress: True shows a bar; a function is called after each picture of each form.

    Raises:
        RequestError: an argument is out of range, or the directory holds another sample.
        StorageError: a file cannot be written.
    """
    directory = plain(directory)
    named = checks.texts("forms", forms)
    check_names(scenes, named)
    chosen = tuple(form for form in FORMS if form in named)
    identity = SampleIdentity(images, seed, *size, pictures_per_tar, scenes, chosen)
    identity.check_numbers()
    root = Path(check_output(str(directory), name="directory"))
    identity.claim(root)
    sweep_unfinished(str(root))
    _write_file(f"{root}/depth/depth.json", orjson.dumps(depth_rule(*size)))
    _write_file(f"{root}/normals/normals.json", orjson.dumps(normals_rule(*size)))
    cameras: dict[str, Intrinsics] = {}
    tars, masks = 0, 0
    annotations = CocoAnnotations(STAGINGS[scenes].crowds)
    with shown(progress, "pictures") as on_progress:
        count = _PictureCount(images * len(chosen), on_progress)
        first = "loading compiled code, or compiling it the first time"
        on_progress(Progress(0, count.total, phase=first))
        if "sa1b" in chosen:
            tars, masks = _write_sa1b(root, identity, cameras, count.add)
        if "coco" in chosen:
            _write_coco(root, identity, annotations, cameras, count.add)
    _write_file(f"{root}/intrinsics.json", orjson.dumps({"pictures": cameras}))
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


@dataclass(slots=True)
class _PictureCount:
    """Counts written pictures and reports the count."""

    total: int
    on_progress: OnProgress
    done: int = 0

    def add(self) -> None:
        self.done += 1
        self.on_progress(Progress(self.done, self.total, phase="drawing"))


def _write_sa1b(
    root: Path,
    sample: SampleIdentity,
    cameras: dict[str, Intrinsics],
    count_picture: Callable[[], None],
) -> tuple[int, int]:
    """Write tars, depth and normals; return the numbers of tars and masks."""
    masks = 0
    starts = range(0, sample.images, sample.pictures_per_tar)
    for number, start in enumerate(starts):
        with (
            open_atomic(f"{root}/sa1b/sa_{number:06d}.tar", synced=False) as file,
            tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar,  # type: ignore[call-overload]
        ):
            for position in range(start, min(start + sample.pictures_per_tar, sample.images)):
                scene = sa1b_scene(
                    sample.seed, position, sample.width, sample.height, sample.scenes
                )
                record = sa1b_record(scene, position + 1, sample.seed)
                add_picture(tar, record, _jpeg(scene))
                cameras[f"sa_{position + 1}"] = _write_geometry(root, f"sa_{position + 1}", scene)
                masks += len(record["annotations"])
                count_picture()
    return len(starts), masks


def _write_coco(
    root: Path,
    sample: SampleIdentity,
    annotations: CocoAnnotations,
    cameras: dict[str, Intrinsics],
    count_picture: Callable[[], None],
) -> None:
    """Write pictures, maps, depth and normals, then the annotation files."""
    folder = f"{root}/coco/annotations"
    palette = stuff_palette()
    for position in range(sample.images):
        scene = coco_scene(sample.seed, position, sample.width, sample.height, sample.scenes)
        name = f"{position + 1:012d}"
        panoptic, stuff = annotations.add(scene, position + 1)
        _write_file(f"{root}/coco/train2017/{name}.jpg", _jpeg(scene))
        _write_file(f"{folder}/panoptic_train2017/{name}.png", rgb_png(panoptic))
        _write_file(f"{folder}/stuff_train2017_pixelmaps/{name}.png", palette_png(stuff, palette))
        cameras[name] = _write_geometry(root, name, scene)
        count_picture()
    for file_name, document in annotations.documents().items():
        _write_file(f"{folder}/{file_name}", orjson.dumps(document))


def _jpeg(scene: Scene) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(scene.picture).save(stream, "JPEG", quality=_JPEG_QUALITY)
    return stream.getvalue()


def _write_geometry(root: Path, name: str, scene: Scene) -> Intrinsics:
    """Write depth and normals of a picture; return its camera."""
    _write_file(f"{root}/depth/{name}.png", grey16_png(inverse_depth(scene.depth)))
    _write_file(f"{root}/normals/{name}.png", rgb_png(colours_of_normals(scene.normals)))
    return scene.intrinsics
