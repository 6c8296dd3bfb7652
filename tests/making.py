"""Small inputs made by hand: pictures, SA-1B tars, COCO folders; and what a build made of them."""

from __future__ import annotations

import copy
import io
import json
import struct
import tarfile
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pycocotools import mask as coco_mask

from sgt_data.corpus.shard import EncodedShard
from sgt_data.engine.build import build_corpus
from sgt_data.engine.build_plan import plan_build
from sgt_data.engine.build_report import BuildReport
from sgt_data.engine.cluster import IN_PROCESS
from sgt_data.engine.in_process import InProcessEngine
from sgt_data.engine.listing import list_inputs
from sgt_data.engine.render import render_shard
from sgt_data.manifest.manifest import Manifest, parse_manifest

Mask = NDArray[np.bool_]
Members = list[tuple[str, bytes]]

SMALL = {"min_side": 32, "max_side": 96, "multiple_of": 16}
"""A size rule that keeps made pictures small."""


# What to do to a stored array to see it upright, by EXIF orientation (CIPA DC-008, 0x0112).
UPRIGHT: dict[int, Callable[[NDArray[Any]], NDArray[Any]]] = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: np.transpose,
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(np.transpose(a), 2),
    8: lambda a: np.rot90(a, 1),
}


def scene(width: int, height: int, seed: int = 0) -> NDArray[np.uint8]:
    """A smooth colourful picture [height, width, 3] that JPEG hardly changes."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (4, 5, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def encoded(image: Image.Image, form: str = "JPEG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def jpeg(width: int, height: int, seed: int = 0, **options: Any) -> bytes:
    return encoded(Image.fromarray(scene(width, height, seed)), quality=90, **options)


def png_chunks(*chunks: tuple[bytes, bytes]) -> bytes:
    out = b"\x89PNG\r\n\x1a\n"
    for name, body in chunks:
        out += struct.pack(">I", len(body)) + name + body
        out += struct.pack(">I", zlib.crc32(name + body))
    return out


def bomb_png(width: int, height: int) -> bytes:
    """A small file whose header claims a picture of that size."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return png_chunks((b"IHDR", head), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b""))


def bomb_jpeg(width: int, height: int) -> bytes:
    data = bytearray(jpeg(64, 48))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def boxes(width: int, height: int, count: int = 4, seed: int = 0) -> list[Mask]:
    """Masks: rectangles that overlap."""
    rng = np.random.default_rng([seed, 7])
    masks = []
    for _ in range(count):
        left, top = int(rng.integers(0, width - 8)), int(rng.integers(0, height - 8))
        mask = np.zeros((height, width), np.bool_)
        right, bottom = int(rng.integers(left + 4, width + 1)), int(rng.integers(top + 4, height))
        mask[top:bottom, left:right] = True
        masks.append(mask)
    return masks


def run_lengths(mask: Mask) -> dict[str, Any]:
    """pycocotools' own encoding, as JSON holds it."""
    coded = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": [int(side) for side in coded["size"]], "counts": coded["counts"].decode()}


def sa1b_document(number: int, masks: Sequence[Mask], width: int, height: int) -> dict[str, Any]:
    return {
        "image": {
            "image_id": number,
            "width": width,
            "height": height,
            "file_name": f"sa_{number}.jpg",
        },
        "annotations": [
            {
                "id": 100 * number + index,
                "segmentation": run_lengths(mask),
                "bbox": [0.0, 0.0, 1.0, 1.0],
                "area": int(mask.sum()),
                "predicted_iou": 0.95,
                "stability_score": 0.97,
                "crop_box": [0.0, 0.0, float(width), float(height)],
                "point_coords": [[1.0, 1.0]],
            }
            for index, mask in enumerate(masks)
        ],
    }


def sa1b_pair(number: int, width: int = 64, height: int = 48) -> Members:
    """`sa_N.jpg` and `sa_N.json` of one picture."""
    document = sa1b_document(number, boxes(width, height, seed=number), width, height)
    return [
        (f"sa_{number}.jpg", jpeg(width, height, number)),
        (f"sa_{number}.json", json.dumps(document).encode()),
    ]


def sa1b_members(count: int) -> Members:
    return [member for number in range(1, count + 1) for member in sa1b_pair(number)]


def tar_of(members: Iterable[tuple[str, bytes]], form: int = tarfile.USTAR_FORMAT) -> bytes:
    """A tar as `tarfile` writes it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        for name, body in members:
            member = tarfile.TarInfo(name)
            member.size = len(body)
            tar.addfile(member, io.BytesIO(body))
    return out.getvalue()


def coco_category(number: int, name: str, isthing: int = 1) -> dict[str, Any]:
    return {"id": number, "name": name, "supercategory": name, "isthing": isthing}


CATEGORIES = [coco_category(1, "cat"), coco_category(2, "dog"), coco_category(5, "sky", 0)]


def coco_image(number: int, width: int = 64, height: int = 48, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "file_name": f"{number:012d}.jpg",
        "width": width,
        "height": height,
        "license": 4,
        "coco_url": f"http://127.0.0.1/{number:012d}.jpg",
    } | more


def coco_annotation(number: int, image: int, segmentation: Any, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "image_id": image,
        "category_id": 1,
        "iscrowd": 0,
        "segmentation": segmentation,
        "area": 1.0,
        "bbox": [0, 0, 1, 1],
    } | more


def coco_document(images: Sequence[Any], annotations: Sequence[Any]) -> dict[str, Any]:
    return {
        "images": list(images),
        "annotations": list(annotations),
        "categories": CATEGORIES,
        "licenses": [{"id": 4, "name": "Attribution License", "url": "http://127.0.0.1/"}],
    }


def panoptic_png(ids: NDArray[np.int64]) -> bytes:
    """COCO's coding: id = R + 256 G + 65536 B."""
    rgb = np.stack((ids & 255, ids >> 8 & 255, ids >> 16), axis=-1).astype(np.uint8)
    return encoded(Image.fromarray(rgb), "PNG")


def write_coco(
    root: Path,
    pictures: Mapping[str, bytes],
    documents: Mapping[str, Any],
    maps: Mapping[str, bytes] | None = None,
) -> Path:
    """A COCO folder of split `train2017`. `documents` by kind: dicts, or the JSON's own bytes."""
    (root / "train2017").mkdir(parents=True)
    (root / "annotations" / "panoptic_train2017").mkdir(parents=True)
    for name, body in pictures.items():
        (root / "train2017" / name).write_bytes(body)
    for kind, document in documents.items():
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        (root / "annotations" / f"{kind}_train2017.json").write_bytes(body)
    for name, body in (maps or {}).items():
        (root / "annotations" / "panoptic_train2017" / name).write_bytes(body)
    return root


def proxy_of(variant: str, **more: Any) -> dict[str, Any]:
    return {"type": "segmentation", "name": variant, "variant": variant} | more


def manifest_of(source: Any, proxies: Any = None, **more: Any) -> Manifest:
    """A manifest of one source or several."""
    fields = {
        "name": "made",
        "seed": 3,
        "shard_samples": 4,
        "max_quarantined": 1.0,
        "pictures": SMALL,
        "sources": source if isinstance(source, list) else [source],
        "proxies": proxies or [proxy_of("entity")],
    }
    return parse_manifest(fields | more)


def built(output: Path, source: Any, proxies: Any = None, **more: Any) -> BuildReport:
    """Build in this process."""
    return build_corpus(manifest_of(source, proxies, **more), str(output), cluster=IN_PROCESS)


def rendered(manifest: Manifest) -> list[EncodedShard]:
    """Every shard of every proxy, in memory."""
    plan = plan_build(list_inputs(manifest), InProcessEngine().set_up)
    sources = {source.name: source for source in manifest.typed_sources()}
    names = [proxy.name for proxy in manifest.proxies]
    return [
        shard
        for piece in plan.listing.slices
        for raw in sources[piece.source].read(piece, manifest.shard_samples, ())
        for shard in render_shard(raw, names, {}, plan.recipe)
    ]


def tar_members(tar: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        names = archive.getnames()
        assert len(names) == len(set(names)), "two members of one name"
        return {name: archive.extractfile(name).read() for name in names}  # type: ignore[union-attr]


def by_key(members: Mapping[str, bytes]) -> dict[str, dict[str, bytes]]:
    """WebDataset members -> samples: the key ends at the first dot."""
    samples: dict[str, dict[str, bytes]] = {}
    for name, body in members.items():
        key, _, extension = name.partition(".")
        samples.setdefault(key, {})[extension] = body
    return samples


def samples_in(root: Path, proxy: str = "entity") -> dict[str, dict[str, bytes]]:
    """All samples of a proxy on disk; no key twice."""
    samples: dict[str, dict[str, bytes]] = {}
    for place in sorted((root / proxy).glob("*.tar")):
        of_tar = by_key(tar_members(place.read_bytes()))
        assert not samples.keys() & of_tar.keys()
        samples |= of_tar
    return samples


def ledger_in(root: Path, proxy: str = "entity") -> list[dict[str, Any]]:
    """All quarantine rows of a proxy."""
    return [
        json.loads(line)
        for place in sorted((root / "quarantine" / proxy).glob("*.jsonl"))
        for line in place.read_text().splitlines()
    ]


def shown(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The segments that a target shows."""
    return [segment for segment in facts["segments"] if segment["label"] > 0]


def not_shown(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The segments that a target does not show."""
    return [segment for segment in facts["segments"] if segment["label"] == 0]


def dropped(facts: Mapping[str, Any]) -> dict[str, int]:
    """How many segments were dropped, by the rules that dropped some."""
    return {rule: count for rule, count in facts["dropped"].items() if count}


def files_in(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def check_accounts(root: Path, report: BuildReport) -> None:
    """inputs = written + quarantined, counted from tars and ledgers rather than from receipts."""
    for proxy, totals in report.totals.items():
        rows = ledger_in(root, proxy)
        assert totals["samples"] == len(samples_in(root, proxy))
        assert totals["damaged"] == sum(row["kind"] == "damaged" for row in rows)
        assert totals["filtered"] == sum(row["kind"] == "filtered" for row in rows)
        notes = sum(row["kind"] == "note" for row in rows)
        assert totals.get("notes", 0) == notes
        assert totals["inputs"] == totals["samples"] + len(rows) - notes
        assert all(row["source"] and row["member"] and row["reason"] for row in rows)


JUNK: tuple[Any, ...] = (
    None, True, -1, 0, 5, 2**31, 2**63, 2**64 - 1, -(2**40), 1.5, -0.0, 1e300, "", "x", "\0",
    "../a", "0" * 5000, [], [[]], [None], [1, 2], {}, {"a": 1}, {"id": 1}, [[1, 1, 9, 1, 9, 9]],
)  # fmt: skip


def spoiled(rng: np.random.Generator, document: Any) -> Any:
    """A copy of a JSON document with one to three places replaced, removed or doubled."""
    document = copy.deepcopy(document)
    for _ in range(rng.integers(1, 4)):
        place: Any = document
        while True:
            names = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not names:
                break
            name = names[int(rng.integers(0, len(names)))]
            below = place[name]
            if isinstance(below, dict | list) and below and rng.random() < 0.85:
                place = below
                continue
            kind = rng.random()
            if kind < 0.8:
                place[name] = copy.deepcopy(JUNK[int(rng.integers(0, len(JUNK)))])
            elif kind < 0.9 or isinstance(place, dict):
                del place[name]
            else:
                place.append(copy.deepcopy(below))
            break
    return document
