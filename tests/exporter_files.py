"""Small files in the shape in which tools and data sets really give COCO annotations.

Each writer makes a folder from the same three drawn pictures and their masks, and returns the
source of a manifest that reads it. The shapes were taken from the exporters' own code (named at
each writer) or from files that they wrote; what a writer shows beside the usual COCO is what such
files have that COCO's own have not.

`MASKS[n]` are the masks of picture n, and `NAMES` their categories, so that a test can draw what
must come out with numpy alone.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from making import Mask, encoded, jpeg, run_lengths
from numpy.typing import NDArray
from PIL import Image
from pycocotools import mask as coco_mask

Source = dict[str, Any]
Writer = Callable[[Path], Source]

WIDTH, HEIGHT = 64, 48
PICTURES = tuple(jpeg(WIDTH, HEIGHT, seed) for seed in (1, 2, 3))
NAMES = ("cat", "dog")
"""Category of the first and of the second mask of each picture."""

_BOXES = (
    ((4, 4, 30, 24), (34, 20, 60, 44)),
    ((2, 10, 20, 40), (24, 6, 50, 30)),
    ((10, 2, 40, 20), (6, 26, 58, 46)),
)
"""Left, top, right, bottom of each mask, in pixels; right and bottom are the first outside."""


def polygon_of(box: tuple[int, int, int, int]) -> list[float]:
    """The outline of a box as COCO's flat list."""
    left, top, right, bottom = map(float, box)
    return [left, top, right, top, right, bottom, left, bottom]


def mask_of(box: tuple[int, int, int, int]) -> Mask:
    """The mask that pycocotools rasterises from the outline."""
    encoding = coco_mask.frPyObjects([polygon_of(box)], HEIGHT, WIDTH)
    decoded: NDArray[np.uint8] = coco_mask.decode(coco_mask.merge(encoding))
    return decoded.astype(np.bool_)


MASKS: tuple[tuple[Mask, ...], ...] = tuple(
    tuple(mask_of(box) for box in boxes) for boxes in _BOXES
)


def _plain_counts(mask: Mask) -> dict[str, Any]:
    """Uncompressed run lengths, by numpy: zeros first, column by column."""
    pixels = mask.ravel(order="F").astype(np.int8)
    changes = np.flatnonzero(np.diff(pixels)) + 1
    edges = np.concatenate(([0], changes, [len(pixels)]))
    counts = np.diff(edges).tolist()
    return {"counts": [0, *counts] if pixels[0] else counts, "size": list(mask.shape)}


def _coco_box(box: tuple[int, int, int, int]) -> list[float]:
    left, top, right, bottom = box
    return [float(left), float(top), float(right - left), float(bottom - top)]


def _write(place: Path, document: Any, **options: Any) -> str:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(document, **options))
    return str(place)


def _pictures(folder: Path, names: Iterable[str]) -> str:
    for name, body in zip(names, PICTURES, strict=True):
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(io.BytesIO(body)) as picture:
            place.write_bytes(encoded(picture, "PNG") if name.endswith(".png") else body)
    return str(folder)


def _instances_source(root: Path, split: str, pictures: str, instances: str) -> Source:
    """The entry of a manifest that reads masks of instances."""
    return {
        "type": "coco",
        "root": str(root),
        "split": split,
        "annotations": ["instances"],
        "pictures": pictures,
        "instances": instances,
    }


def _instances(
    segmentation: Callable[[int, int], Any],
    *,
    first_image: Any = 1,
    first_id: int = 1,
    first_category: int = 1,
    **more: Any,
) -> list[dict[str, Any]]:
    """Annotations of all pictures; `segmentation(picture, mask)` gives each one's mask."""
    return [
        {
            "id": first_id + 2 * picture + mask,
            "image_id": first_image + picture,
            "category_id": first_category + mask,
            "segmentation": segmentation(picture, mask),
            "area": float(MASKS[picture][mask].sum()),
            "bbox": _coco_box(_BOXES[picture][mask]),
            "iscrowd": 0,
        }
        | more
        for picture in range(3)
        for mask in range(2)
    ]


def _polygons(picture: int, mask: int) -> list[list[float]]:
    return [polygon_of(_BOXES[picture][mask])]


def cvat(root: Path) -> Source:
    """CVAT, "COCO 1.0" (datumaro's `coco_format/converter.py`).

    Masks drawn with the brush are plain run lengths with `iscrowd` 1, polygons have `iscrowd` 0;
    one licence with an empty name and id 0; empty `coco_url` and `info`; `attributes`.
    """
    names = [f"frame_{number:06d}.jpg" for number in range(3)]
    annotations = _instances(_polygons, attributes={"occluded": False})
    annotations[1] |= {"segmentation": _plain_counts(MASKS[0][1]), "iscrowd": 1}
    empty = dict.fromkeys(
        ("contributor", "date_created", "description", "url", "version", "year"), ""
    )
    document = {
        "licenses": [{"name": "", "id": 0, "url": ""}],
        "info": empty,
        "categories": [
            {"id": number, "name": name, "supercategory": ""}
            for number, name in enumerate(NAMES, 1)
        ],
        "images": [
            {
                "id": number, "width": WIDTH, "height": HEIGHT, "file_name": name, "license": 0,
                "flickr_url": "", "coco_url": "", "date_captured": 0,
            }
            for number, name in enumerate(names, 1)
        ],
        "annotations": annotations,
    }  # fmt: skip
    return _instances_source(
        root,
        "default",
        _pictures(root / "images" / "default", names),
        _write(root / "annotations" / "instances_default.json", document),
    )


def roboflow(root: Path) -> Source:
    """Roboflow, "COCO" and "COCO Segmentation" (files of Roboflow Universe).

    `_annotations.coco.json` lies among the pictures; category 0 is the project itself, and may have
    the name of a class; image ids from 0; areas with fractions; two copies of one picture differ in
    the hash of their names alone.
    """
    stems = ("cats_jpg.rf.0a1b2c3d4e5f", "cats_jpg.rf.9f8e7d6c5b4a", "yard-7_png.rf.55aa55aa55aa")
    names = [f"{stem}.jpg" for stem in stems]
    document = {
        "info": {
            "year": "2024", "version": "3", "description": "Exported from roboflow.com",
            "contributor": "", "url": "https://public.roboflow.com/object-detection/undefined",
            "date_created": "2024-05-02T10:11:12+00:00",
        },
        "licenses": [
            {"id": 1, "url": "https://creativecommons.org/licenses/by/4.0/", "name": "CC BY 4.0"}
        ],
        "categories": [
            {"id": 0, "name": "cat", "supercategory": "none"},
            {"id": 1, "name": "cat", "supercategory": "cat"},
            {"id": 2, "name": "dog", "supercategory": "cat"},
        ],
        "images": [
            {
                "id": number, "license": 1, "file_name": name, "height": HEIGHT, "width": WIDTH,
                "date_captured": "2024-05-02T10:11:12+00:00", "extra": {"name": "cats.jpg"},
            }
            for number, name in enumerate(names)
        ],
        "annotations": _instances(_polygons, first_image=0, first_id=0),
    }  # fmt: skip
    folder = root / "train"
    return _instances_source(
        root, "train", _pictures(folder, names), _write(folder / "_annotations.coco.json", document)
    )


def label_studio(root: Path) -> Source:
    """Label Studio, "COCO with images" (`label_studio_converter/converter.py`, convert_to_coco).

    `result.json` beside `images/`; names carry the prefix of the upload, on Windows with a
    backslash; all ids from 0; rectangles have an empty `segmentation`; no `licenses`; `ignore`.
    """
    names = ["images/3d1f0a2b-cat.jpg", "images/77c0ffee-dog 2.jpg", "images/0badcafe-yard.jpg"]
    annotations = _instances(_polygons, first_image=0, first_id=0, first_category=0, ignore=0)
    rectangle = {"id": 6, "segmentation": [], "bbox": [1.5, 2.25, 20.0, 30.5], "area": 610.0}
    document = {
        "images": [
            {"width": WIDTH, "height": HEIGHT, "id": number, "file_name": name}
            for number, name in enumerate([names[0], names[1].replace("/", "\\"), names[2]])
        ],
        "categories": [{"id": number, "name": name} for number, name in enumerate(NAMES)],
        "annotations": [*annotations, annotations[0] | rectangle],
        "info": {
            "year": 2024, "version": "1.0", "description": "", "contributor": "Label Studio",
            "url": "", "date_created": "2024-05-02 10:11:12.131415",
        },
    }  # fmt: skip
    return _instances_source(
        root, "all", _pictures(root, names), _write(root / "result.json", document, indent=2)
    )


def fiftyone(root: Path) -> Source:
    """FiftyOne, `COCODetectionDataset` (`fiftyone/utils/coco.py`).

    `data/` and `labels.json`; categories from 0 with `supercategory` null; `license` and `coco_url`
    null, `licenses` empty; masks as polygons, without `iscrowd` where the label has no such field.
    """
    names = [f"{number:06d}.jpg" for number in (1, 2, 3)]
    annotations = _instances(_polygons, first_category=0)
    for annotation in annotations[::2]:
        del annotation["iscrowd"]
    document = {
        "info": {"year": "", "version": "", "description": "Exported from FiftyOne"},
        "licenses": [],
        "categories": [
            {"id": number, "name": name, "supercategory": None}
            for number, name in enumerate(NAMES)
        ],
        "images": [
            {
                "id": number, "file_name": name, "height": HEIGHT, "width": WIDTH,
                "license": None, "coco_url": None,
            }
            for number, name in enumerate(names, 1)
        ],
        "annotations": annotations,
    }  # fmt: skip
    return _instances_source(
        root, "all", _pictures(root / "data", names), _write(root / "labels.json", document)
    )


def supervisely(root: Path) -> Source:
    """Supervisely, "Export to COCO" (`src/functions.py` of the app).

    A folder for each data set with `images/` and `annotations/instances.json`; the ids of its
    database; the word "None" for what it does not know; bitmaps as plain run lengths, `iscrowd` 0.
    """
    names = ["IMG_1 copy.jpg", "IMG_2.jpg", "IMG_3.jpg"]
    first = 2_147_500_000
    annotations = _instances(_polygons, first_image=first)
    annotations[3]["segmentation"] = _plain_counts(MASKS[1][1])
    document = {
        "info": {"description": "", "url": "None", "version": "1.0", "year": 2024},
        "licenses": [{"url": "None", "id": 0, "name": "None"}],
        "images": [
            {
                "license": "None", "file_name": name, "url": "None", "height": HEIGHT,
                "width": WIDTH, "date_captured": "2024-05-02T10:11:12.131Z", "id": number,
            }
            for number, name in enumerate(names, first)
        ],
        "annotations": annotations,
        "categories": [
            {"supercategory": name, "id": number, "name": name}
            for number, name in enumerate(NAMES, 1)
        ],
    }  # fmt: skip
    folder = root / "ds0"
    return _instances_source(
        folder,
        "ds0",
        _pictures(folder / "images", names),
        _write(folder / "annotations" / "instances.json", document),
    )


def labelme(root: Path) -> Source:
    """LabelMe (`examples/instance_segmentation/labelme2coco.py` of labelme).

    `annotations.json` beside `JPEGImages/`; category 0 is `_background_`; image and annotation ids
    from 0; a licence and an `info` of nulls.
    """
    names = [f"JPEGImages/2011_00000{number}.jpg" for number in (3, 6, 25)]
    nothing = dict.fromkeys(("description", "url", "version", "contributor"))
    document = {
        "info": nothing | {"year": 2024, "date_created": "2024-05-02 10:11:12.131415"},
        "licenses": [{"url": None, "id": 0, "name": None}],
        "type": "instances",
        "images": [
            {
                "license": 0, "url": None, "file_name": name, "height": HEIGHT, "width": WIDTH,
                "date_captured": None, "id": number,
            }
            for number, name in enumerate(names)
        ],
        "categories": [
            {"supercategory": None, "id": number, "name": name}
            for number, name in enumerate(("_background_", *NAMES))
        ],
        "annotations": _instances(_polygons, first_image=0, first_id=0),
    }  # fmt: skip
    return _instances_source(
        root, "all", _pictures(root, names), _write(root / "annotations.json", document)
    )


def lvis(root: Path) -> Source:
    """LVIS v1 (`lvis_v1_val.json` of lvisdataset.org).

    No `file_name`: pictures are known by `coco_url`, whose last folder is the split of COCO that
    holds them; no `iscrowd`; 1,203 categories with synonyms and frequency; here as `.json.gz`.
    """
    splits = ("val2017", "train2017", "train2017")
    paths = [
        f"{split}/{number:012d}.jpg"
        for split, number in zip(splits, (397133, 37777, 252219), strict=True)
    ]
    annotations = _instances(_polygons, first_image=37777, first_category=1202)
    for annotation in annotations:
        del annotation["iscrowd"]
    names = [f"thing_{number}" for number in range(1, 1202)]
    document = {
        "info": {"description": "LVIS v1 validation set (subset of COCO train2017+val2017)"},
        "annotations": annotations,
        "images": [
            {
                "date_captured": "2013-11-14 17:02:52", "neg_category_ids": [12], "id": number,
                "license": 4, "height": HEIGHT, "width": WIDTH,
                "flickr_url": "http://farm8.staticflickr.com/7024/6727441_ab_z.jpg",
                "coco_url": f"http://images.cocodataset.org/{path}",
                "not_exhaustive_category_ids": [],
            }
            for number, path in enumerate(paths, 37777)
        ],
        "licenses": [
            {"id": 4, "name": "Attribution License", "url": "http://creativecommons.org/"}
        ],
        "categories": [
            {
                "id": number, "name": name, "frequency": "r", "synset": f"{name}.n.01",
                "synonyms": [name], "def": "", "image_count": 1, "instance_count": 1,
            }
            for number, name in enumerate([*names, *NAMES], 1)
        ],
    }  # fmt: skip
    place = root / "annotations" / "lvis_v1_val.json.gz"
    place.parent.mkdir(parents=True)
    place.write_bytes(gzip.compress(json.dumps(document).encode(), mtime=0))
    return _instances_source(root, "val", _pictures(root, paths), str(place))


def objects365(root: Path) -> Source:
    """Objects365 v2 (`zhiyuan_objv2_val.json`): boxes alone, so no proxy on masks can draw it.

    No `segmentation` at all, or an empty one; names with the folders of the patches; `isfake` and
    `iscrowd`; ids in the millions.
    """
    paths = [f"images/v1/patch{n}/objects365_v1_{n:08d}.jpg" for n in (8, 8, 16)]
    paths[1] = paths[1].replace("00000008", "00420917")
    annotations = _instances(
        lambda picture, mask: None, first_id=9_000_001, isfake=0, isreflected=0
    )
    for annotation in annotations:
        del annotation["segmentation"]
    document = {
        "images": [
            {
                "height": HEIGHT, "id": number, "license": 5, "width": WIDTH, "file_name": path,
                "url": "",
            }
            for number, path in enumerate(paths, 1)
        ],
        "annotations": annotations,
        "categories": [{"name": name, "id": number} for number, name in enumerate(NAMES, 1)],
        "licenses": [
            {"name": f"licence {number}", "url": "", "id": number} for number in range(1, 6)
        ],
    }  # fmt: skip
    return _instances_source(
        root, "val", _pictures(root, paths), _write(root / "zhiyuan_objv2_val.json", document)
    )


PANOPTIC_CATEGORIES = (("sky", 0), *((name, 1) for name in NAMES))
"""Name and `isthing` of the categories of the panoptic sets: stuff first, then `NAMES`."""


def panoptic_ids(picture: int, ids: tuple[int, int, int]) -> NDArray[np.int64]:
    """Id map [48, 64]: sky everywhere (ids[0]), then the masks, then four void rows."""
    id_map = np.full((HEIGHT, WIDTH), ids[0], np.int64)
    for mask, identity in zip(MASKS[picture], ids[1:], strict=True):
        id_map[mask] = identity
    id_map[-4:] = 0
    return id_map


def _segments_info(ids: tuple[int, int, int], categories: Iterable[int]) -> list[dict[str, Any]]:
    return [
        {"id": identity, "category_id": category, "area": 1, "bbox": [0, 0, 1, 1], "iscrowd": 0}
        for identity, category in zip(ids, categories, strict=True)
    ]


def _rgb_png(ids: NDArray[np.int64]) -> bytes:
    rgb = np.stack((ids & 255, ids >> 8 & 255, ids >> 16), axis=-1).astype(np.uint8)
    return encoded(Image.fromarray(rgb), "PNG")


def ade20k(root: Path) -> Source:
    """ADE20K panoptic (`datasets/prepare_ade20k_pan_seg.py` of Mask2Former).

    Image ids are text, categories begin at 0 and have a colour; neither `info` nor `licenses`.
    """
    stems = [f"ADE_val_0000000{number}" for number in (1, 2, 3)]
    ids = [(120 + n, 6 + 256 * n, 80 + 65536 * n) for n in (1, 2, 3)]
    maps = root / "ade20k_panoptic_val"
    maps.mkdir(parents=True)
    for picture, stem in enumerate(stems):
        (maps / f"{stem}.png").write_bytes(_rgb_png(panoptic_ids(picture, ids[picture])))
    document = {
        "images": [
            {"id": stem, "file_name": f"{stem}.jpg", "width": WIDTH, "height": HEIGHT}
            for stem in stems
        ],
        "annotations": [
            {
                "image_id": stem, "file_name": f"{stem}.png",
                "segments_info": _segments_info(ids[picture], (0, 1, 2)),
            }
            for picture, stem in enumerate(stems)
        ],
        "categories": [
            {"name": name, "id": number, "isthing": isthing, "color": [120, 120, 120 + number]}
            for number, (name, isthing) in enumerate(PANOPTIC_CATEGORIES)
        ],
    }  # fmt: skip
    return {
        "type": "coco",
        "root": str(root),
        "split": "validation",
        "annotations": ["panoptic"],
        "pictures": _pictures(root / "images" / "validation", [f"{stem}.jpg" for stem in stems]),
        "panoptic": _write(root / "ade20k_panoptic_val.json", document),
        "panoptic_maps": str(maps),
    }


def cityscapes(root: Path) -> Source:
    """Cityscapes in COCO's panoptic form (`cityscapesscripts/preparation/createPanopticImgs.py`).

    Image ids are text; ids of segments are `label * 1000 + n` for things, `label` for stuff. The
    script writes `_gtFine_leftImg8bit.png` as `file_name`, a file that Cityscapes has not; users
    correct it to the path below `leftImg8bit/train`, as is done here.
    """
    stems = [f"aachen_00000{n}_000019" for n in (0, 1, 2)]
    maps = root / "gtFine" / "cityscapes_panoptic_train"
    maps.mkdir(parents=True)
    ids = (23, 24_001, 26_001)
    for picture, stem in enumerate(stems):
        place = maps / f"{stem}_gtFine_panoptic.png"
        place.write_bytes(_rgb_png(panoptic_ids(picture, ids)))
    paths = [f"aachen/{stem}_leftImg8bit.png" for stem in stems]
    document = {
        "images": [
            {"id": stem, "width": WIDTH, "height": HEIGHT, "file_name": path}
            for stem, path in zip(stems, paths, strict=True)
        ],
        "annotations": [
            {
                "image_id": stem, "file_name": f"{stem}_gtFine_panoptic.png",
                "segments_info": _segments_info(ids, (23, 24, 26)),
            }
            for stem in stems
        ],
        "categories": [
            {
                "id": number, "name": name, "color": [70, 130, 180], "supercategory": name,
                "isthing": isthing,
            }
            for number, (name, isthing) in zip((23, 24, 26), PANOPTIC_CATEGORIES, strict=True)
        ],
    }  # fmt: skip
    return {
        "type": "coco",
        "root": str(root),
        "split": "train",
        "annotations": ["panoptic"],
        "pictures": _pictures(root / "leftImg8bit" / "train", paths),
        "panoptic": _write(
            root / "gtFine" / "cityscapes_panoptic_train.json", document, sort_keys=True, indent=4
        ),
        "panoptic_maps": str(maps),
    }


def coco_stuff(root: Path) -> Source:
    """COCO-Stuff as pixelmaps (`cocoSegmentationToPng` of cocostuffapi).

    Palette PNGs whose index is the category id; the JSON has category 183 "other" for all things.
    """
    names = [f"{number:012d}.jpg" for number in (139, 285, 632)]
    maps = root / "annotations" / "stuff_val2017_pixelmaps"
    maps.mkdir(parents=True)
    for picture, name in enumerate(names):
        indices = Image.fromarray(panoptic_ids(picture, (157, 106, 183)).astype(np.uint8)).convert(
            "P"
        )
        indices.putpalette([value for n in range(256) for value in (n, 255 - n, n // 2)])
        (maps / name).with_suffix(".png").write_bytes(encoded(indices, "PNG"))
    document = {
        "info": {"description": "COCO 2017 Stuff Dataset", "version": "1.0"},
        "images": [
            {
                "license": 2, "file_name": name, "height": HEIGHT, "width": WIDTH,
                "coco_url": f"http://images.cocodataset.org/val2017/{name}", "id": int(name[:12]),
            }
            for name in names
        ],
        "licenses": [{"url": "http://creativecommons.org/", "id": 2, "name": "CC BY-NC"}],
        "annotations": [],
        "categories": [
            {"supercategory": "outdoor", "id": number, "name": name}
            for number, name in ((106, "clouds"), (157, "sky-other"), (183, "other"))
        ],
    }  # fmt: skip
    _write(root / "annotations" / "stuff_val2017.json", document)
    _pictures(root / "val2017", names)
    return {
        "type": "coco",
        "root": str(root),
        "split": "val2017",
        "annotations": ["stuff_pixelmaps"],
    }


def from_masks(root: Path) -> Source:
    """COCO as scripts write it from masks: compressed run lengths, floats and text for ids."""
    names = [f"pic{number}.jpg" for number in (1, 2, 3)]
    annotations = _instances(lambda picture, mask: run_lengths(MASKS[picture][mask]))
    for annotation in annotations:
        annotation |= {"image_id": str(annotation["image_id"]), "iscrowd": False}
    annotations[0] |= {"area": float("nan"), "bbox": [float("nan")] * 4}
    document = {
        "info": None,
        "licenses": None,
        "images": [
            {"id": float(number), "file_name": name, "width": -1, "height": None}
            for number, name in enumerate(names, 1)
        ],
        "annotations": annotations,
        "categories": [{"id": str(number), "name": name} for number, name in enumerate(NAMES, 1)],
    }
    place = root / "masks.json"
    root.mkdir(parents=True, exist_ok=True)
    place.write_bytes(json.dumps(document).encode("utf-8-sig"))
    return _instances_source(root, "all", _pictures(root / "pictures", names), str(place))


EXPORTERS: dict[str, Writer] = {
    "CVAT": cvat,
    "Roboflow": roboflow,
    "Label Studio": label_studio,
    "FiftyOne": fiftyone,
    "Supervisely": supervisely,
    "LabelMe": labelme,
    "LVIS": lvis,
    "Objects365": objects365,
    "ADE20K": ade20k,
    "Cityscapes": cityscapes,
    "COCO-Stuff": coco_stuff,
    "scripts": from_masks,
}
"""By exporter: writes a folder in its shape, and returns the source that reads it."""

BOXES_ALONE = frozenset({"Objects365"})
"""Exporters whose files hold no masks."""
