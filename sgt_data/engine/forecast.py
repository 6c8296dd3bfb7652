"""What a build is going to do, before it does it: what `--dry-run` shows."""

from __future__ import annotations

from dataclasses import dataclass

from sgt_data.corpus.paths import INPUT
from sgt_data.engine.listing import Listing
from sgt_data.proxies.generate import GenerateProxy

# Rounded from what `python benchmarks/segmentation_sample.py` prints for real pictures: 0.30 to
# 0.42 (SA-1B, COCO).
_INPUT_BYTES_PER_PIXEL = 0.35
_REVERSED_BYTES = 2900.0
"""Of a sample whose pictures another proxy has: blocks of a tar for its text and its JSON."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a build will read and write for one folder of the corpus and one source.

    Attributes:
        source: name of the source.
        proxy: folder of the corpus: a proxy, or the shared inputs.
        slices: of the source.
        shards: of the folder.
        pictures: of the source, without those of which the listing says that they cannot be read.
        source_bytes: bytes that will be read.
        output_bytes: bytes that will be written, always an estimate.
        exact: whether pictures and shards are counted; False where they are estimated.
    """

    source: str
    proxy: str
    slices: int
    shards: int
    pictures: int
    source_bytes: int
    output_bytes: int
    exact: bool


def forecast(listing: Listing) -> list[Forecast]:
    """A forecast per source and folder of the corpus, in the order of the manifest."""
    forecasts = []
    samples = listing.manifest.shard_samples
    for source, folders in listing.folders_of.items():
        inventory = listing.inventories[source]
        pictures = sum(piece.pictures for piece in inventory.slices) - inventory.unreadable
        width, height = listing.manifest.pictures.output_size(*inventory.typical_size)
        forecasts += [
            Forecast(
                source,
                folder,
                len(inventory.slices),
                sum(max(1, -(-piece.pictures // samples)) for piece in inventory.slices),
                pictures,
                sum(piece.nbytes for piece in inventory.slices),
                round(pictures * _picture_bytes(listing, folder, width * height)),
                inventory.exact,
            )
            for folder in folders
        ]
    return forecasts


def _picture_bytes(listing: Listing, folder: str, pixels: int) -> float:
    """Bytes that a folder holds of a picture of so many pixels."""
    if folder == INPUT:
        return pixels * _INPUT_BYTES_PER_PIXEL
    proxy = next(proxy for proxy in listing.manifest.proxies if proxy.name == folder)
    if isinstance(proxy, GenerateProxy):
        return _REVERSED_BYTES
    own_input = proxy.degrades or listing.manifest.inputs == "embedded"
    return pixels * (own_input * _INPUT_BYTES_PER_PIXEL + float(proxy.target_bytes_per_pixel))
