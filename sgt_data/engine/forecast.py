"""What a build is going to do, before it does: for `--dry-run`."""

from __future__ import annotations

from dataclasses import dataclass

from sgt_data.corpus.layout import INPUT
from sgt_data.engine.listing import Listing

# Rounded from what `python benchmarks/segmentation_sample.py` prints for real pictures: 0.30 to
# 0.42 (SA-1B, COCO).
_INPUT_BYTES_PER_PIXEL = 0.35


@dataclass(frozen=True, slots=True)
class Forecast:
    """One folder of the corpus (a proxy, or the shared inputs) on one source. `exact` tells whether
    pictures and shards are counted or estimated; `source_bytes` are what will be read,
    `output_bytes` is always an estimate."""

    source: str
    proxy: str
    slices: int
    shards: int
    pictures: int
    source_bytes: int
    output_bytes: int
    exact: bool


def forecast(plan: Listing) -> list[Forecast]:
    """A row per source and folder of the corpus, in the order of the manifest."""
    rows = []
    samples = plan.manifest.shard_samples
    for source, folders in plan.folders_of.items():
        inventory = plan.inventories[source]
        pictures = sum(piece.pictures for piece in inventory.slices)
        width, height = plan.manifest.pictures.output_size(*inventory.typical_size)
        rows += [
            Forecast(
                source,
                folder,
                len(inventory.slices),
                sum(max(1, -(-piece.pictures // samples)) for piece in inventory.slices),
                pictures,
                sum(piece.nbytes for piece in inventory.slices),
                round(pictures * width * height * _bytes_per_pixel(plan, folder)),
                inventory.exact,
            )
            for folder in folders
        ]
    return rows


def _bytes_per_pixel(plan: Listing, folder: str) -> float:
    if folder == INPUT:
        return _INPUT_BYTES_PER_PIXEL
    proxy = next(one for one in plan.manifest.proxies if one.name == folder)
    own = proxy.degrades or plan.manifest.inputs == "embedded"
    return own * _INPUT_BYTES_PER_PIXEL + float(proxy.target_bytes_per_pixel)
