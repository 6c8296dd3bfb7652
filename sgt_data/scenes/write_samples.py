"""Write drawn scenes to a folder in SA-1B's and COCO's form, with exact depth and normals."""

from __future__ import annotations

import tarfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from sgt_data import checks
from sgt_data.files.output_place import check_output
from sgt_data.files.unfinished import sweep_unfinished
from sgt_data.files.urls import Location, plain
from sgt_data.files.writing import open_atomic
from sgt_data.progress import OnProgress, Progress, ProgressTo
from sgt_data.progress_display import shown
from sgt_data.result import Result
from sgt_data.scenes.depth import depth_rule
from sgt_data.scenes.draw_pictures import PictureDrawer, write_file
from sgt_data.scenes.normals import Intrinsics, normals_rule
from sgt_data.scenes.parallel_drawing import DrawingPool, default_processes
from sgt_data.scenes.sample_identity import (
    FORMS,
    Form,
    SampleIdentity,
    chosen_forms,
)
from sgt_data.scenes.staging import Scenes
from sgt_data.scenes.write_coco import CocoAnnotations
from sgt_data.scenes.write_sa1b import add_picture

PICTURES_PER_TAR: Final = 1000
"""Of SA-1B's form, where a request states no other number."""


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
        captions: COCO captions.
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
    captions: int


def write_samples(
    directory: Location,
    images: int,
    *,
    seed: int = 0,
    size: tuple[int, int] = (640, 480),
    scenes: Scenes = "varied",
    forms: Collection[Form] | Form = FORMS,
    pictures_per_tar: int = PICTURES_PER_TAR,
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
    chosen = chosen_forms(scenes, checks.texts("forms", forms))
    sample = SampleIdentity(images, seed, *size, pictures_per_tar, scenes, chosen)
    return draw_sample(directory, sample, processes=1, progress=progress)


def draw_sample(
    directory: Location,
    sample: SampleIdentity,
    *,
    processes: int | None = None,
    progress: ProgressTo = False,
) -> SampleSummary:
    """Draw and write a sample, in several processes where it pays. They change no byte.

    Args:
        directory: local folder.
        sample: what is drawn.
        processes: how many draw at a time; None for one per CPU where there is enough to do. A
            program that draws in several needs `if __name__ == "__main__":`.
        progress: as of `write_samples`.

    Raises:
        RequestError, StorageError: as of `write_samples`.
        DrawingStopped: a process that drew was killed.
    """
    sample.check_numbers()
    if processes is not None:
        checks.whole_number("processes", processes, 1)
    directory = plain(directory)
    root = Path(check_output(str(directory), name="directory"))
    sample.claim(root)
    sweep_unfinished(str(root))
    size = sample.width, sample.height
    write_file(f"{root}/depth/depth.json", orjson.dumps(depth_rule(*size)))
    write_file(f"{root}/normals/normals.json", orjson.dumps(normals_rule(*size)))
    cameras: dict[str, Intrinsics] = {}
    tars, masks = 0, 0
    annotations = CocoAnnotations()
    drawer = PictureDrawer(str(root), sample)
    pictures = sample.images * len(sample.forms)
    at_a_time = processes or default_processes(pictures, sample.width * sample.height)
    with shown(progress, "pictures") as on_progress, DrawingPool(at_a_time) as pool:
        count = _PictureCount(pictures, on_progress)
        first = "loading compiled code, or compiling it the first time"
        on_progress(Progress(0, count.total, phase=first))
        if "sa1b" in sample.forms:
            tars, masks = _write_sa1b(drawer, pool, cameras, count)
        if "coco" in sample.forms:
            annotations = _write_coco(drawer, pool, cameras, count)
    write_file(f"{root}/intrinsics.json", orjson.dumps({"pictures": cameras}))
    return SampleSummary(
        complete=True,
        directory=directory,
        scenes=sample.scenes,
        forms=sample.forms,
        images=sample.images,
        tars=tars,
        masks=masks,
        instances=len(annotations.instances),
        crowds=sum(row["iscrowd"] for row in annotations.instances),
        segments=sum(len(row["segments_info"]) for row in annotations.panoptic),
        captions=len(annotations.captions),
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
    drawer: PictureDrawer, pool: DrawingPool, cameras: dict[str, Intrinsics], count: _PictureCount
) -> tuple[int, int]:
    """Write tars, depth and normals; return the numbers of tars and masks."""
    sample, masks = drawer.sample, 0
    starts = range(0, sample.images, sample.pictures_per_tar)
    for number, start in enumerate(starts):
        positions = range(start, min(start + sample.pictures_per_tar, sample.images))
        with (
            open_atomic(f"{drawer.root}/sa1b/sa_{number:06d}.tar", synced=False) as file,
            tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar,  # type: ignore[call-overload]
        ):
            for drawn in pool.draw(drawer.draw_sa1b, positions):
                add_picture(tar, drawn.record, drawn.jpeg)
                cameras[drawn.name] = drawn.camera
                masks += len(drawn.record["annotations"])
                count.add()
    return len(starts), masks


def _write_coco(
    drawer: PictureDrawer, pool: DrawingPool, cameras: dict[str, Intrinsics], count: _PictureCount
) -> CocoAnnotations:
    """Write pictures, maps, depth and normals, then the annotation files."""
    annotations = CocoAnnotations()
    for drawn in pool.draw(drawer.draw_coco, range(drawer.sample.images)):
        annotations.add(drawn.rows)
        cameras[drawn.name] = drawn.camera
        count.add()
    for file_name, document in annotations.documents().items():
        write_file(f"{drawer.root}/coco/annotations/{file_name}", orjson.dumps(document))
    return annotations
