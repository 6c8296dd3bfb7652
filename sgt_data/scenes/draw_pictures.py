"""Draw a picture of a sample with its files; pictures share nothing, so any process draws any."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import partial
from typing import Any

from PIL import Image

from sgt_data.files.writing import write_atomic
from sgt_data.pictures.normal_colours import colours_of_normals
from sgt_data.scenes.coco_rows import CocoRows, describe_scene
from sgt_data.scenes.depth import inverse_depth
from sgt_data.scenes.normals import Intrinsics
from sgt_data.scenes.png import grey16_png, palette_png, rgb_png
from sgt_data.scenes.sample_identity import SampleIdentity
from sgt_data.scenes.scene import Scene, draw_scene
from sgt_data.scenes.staging import STAGINGS, Scenes
from sgt_data.scenes.write_coco import stuff_palette
from sgt_data.scenes.write_sa1b import sa1b_record

_JPEG_QUALITY = 95

# not synced: a file that a power cut takes is drawn again, with the same bytes
write_file = partial(write_atomic, synced=False)


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


@dataclass(frozen=True, slots=True)
class DrawnSa1b:
    """A picture of SA-1B's form, whose depth and normals are written.

    Attributes:
        name: of its depth and normals, without extension.
        camera: that took it.
        jpeg: the picture.
        record: its JSON.
    """

    name: str
    camera: Intrinsics
    jpeg: bytes
    record: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DrawnCoco:
    """A picture of COCO's form, whose files are written.

    Attributes:
        name: of its files, without extension.
        camera: that took it.
        rows: of the annotation files.
    """

    name: str
    camera: Intrinsics
    rows: CocoRows


@dataclass(frozen=True, slots=True)
class PictureDrawer:
    """Draws the pictures of a sample by their positions.

    Attributes:
        root: local folder of the sample.
        sample: what is drawn.
    """

    root: str
    sample: SampleIdentity

    def draw_sa1b(self, position: int) -> DrawnSa1b:
        """Draw a picture of SA-1B's form; write its depth and normals.

        Raises:
            StorageError: a file cannot be written.
        """
        sample, name = self.sample, f"sa_{position + 1}"
        scene = sa1b_scene(sample.seed, position, sample.width, sample.height, sample.scenes)
        self._write_geometry(name, scene)
        record = sa1b_record(scene, position + 1, sample.seed)
        return DrawnSa1b(name, scene.intrinsics, _jpeg(scene), record)

    def draw_coco(self, position: int) -> DrawnCoco:
        """Draw a picture of COCO's form; write it, its maps, depth and normals.

        Raises:
            StorageError: a file cannot be written.
        """
        sample, name = self.sample, f"{position + 1:012d}"
        scene = coco_scene(sample.seed, position, sample.width, sample.height, sample.scenes)
        crowds = STAGINGS[sample.scenes].crowds
        drawn = describe_scene(scene, position + 1, sample.seed, crowds)
        folder = f"{self.root}/coco/annotations"
        stuff = palette_png(drawn.stuff, stuff_palette())
        write_file(f"{self.root}/coco/train2017/{name}.jpg", _jpeg(scene))
        write_file(f"{folder}/panoptic_train2017/{name}.png", rgb_png(drawn.panoptic))
        write_file(f"{folder}/stuff_train2017_pixelmaps/{name}.png", stuff)
        self._write_geometry(name, scene)
        return DrawnCoco(name, scene.intrinsics, drawn.rows)

    def _write_geometry(self, name: str, scene: Scene) -> None:
        write_file(f"{self.root}/depth/{name}.png", grey16_png(inverse_depth(scene.depth)))
        write_file(f"{self.root}/normals/{name}.png", rgb_png(colours_of_normals(scene.normals)))


def _jpeg(scene: Scene) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(scene.picture).save(stream, "JPEG", quality=_JPEG_QUALITY)
    return stream.getvalue()
