"""What a build is going to do, before it does: for `--dry-run`."""

from __future__ import annotations

from dataclasses import dataclass

from sgt_data.build.listing import BuildPlan

# Rounded from what `python benchmarks/segmentation_sample.py` prints for real pictures: 0.30 to
# 0.42 (SA-1B, COCO) for the input, 0.03 to 0.05 for target and facts.
_INPUT_BYTES_PER_PIXEL = 0.35
_TARGET_AND_FACTS_BYTES_PER_PIXEL = 0.06


@dataclass(frozen=True, slots=True)
class Forecast:
    """One proxy on one source. `exact` tells whether pictures and shards are counted or estimated;
    `source_bytes` are what will be read, `output_bytes` is always an estimate."""

    source: str
    proxy: str
    slices: int
    shards: int
    pictures: int
    source_bytes: int
    output_bytes: int
    exact: bool


def forecast(plan: BuildPlan) -> list[Forecast]:
    """A row per source and proxy, in the order of the manifest."""
    rows = []
    samples = plan.manifest.shard_samples
    for source, proxies in plan.proxies_of.items():
        inventory = plan.inventories[source]
        pictures = sum(piece.pictures for piece in inventory.slices)
        width, height = plan.manifest.pictures.output_size(*inventory.typical_size)
        per_sample = (_INPUT_BYTES_PER_PIXEL + _TARGET_AND_FACTS_BYTES_PER_PIXEL) * width * height
        rows += [
            Forecast(
                source,
                proxy,
                len(inventory.slices),
                sum(max(1, -(-piece.pictures // samples)) for piece in inventory.slices),
                pictures,
                sum(piece.nbytes for piece in inventory.slices),
                round(pictures * per_sample),
                inventory.exact,
            )
            for proxy in proxies
        ]
    return rows
