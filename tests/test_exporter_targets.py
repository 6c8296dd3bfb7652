"""Files of annotation tools and data sets give the targets that numpy draws from the same masks."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exporter_files import (
    BOXES_ALONE,
    EXPORTERS,
    HEIGHT,
    MASKS,
    NAMES,
    PICTURES,
    WIDTH,
    Source,
    objects365,
    panoptic_ids,
)
from making import built, check_accounts, ledger_in, proxy_of, samples_in
from numpy.typing import NDArray

import sgt_data

PROXIES = {
    "instances": ("instance", "semantic"),
    "panoptic": ("panoptic", "semantic"),
    "stuff_pixelmaps": ("semantic",),
}
PANOPTIC_IDS = (1, 2, 3)


def build(root: Path, source: Source) -> dict[str, dict[str, bytes]]:
    """Samples of the first proxy that the source can draw."""
    variants = PROXIES[source["annotations"][0]]
    report = built(root / "out", source, [proxy_of(variant) for variant in variants])
    assert report.complete, report.failures
    check_accounts(root / "out", report)
    return samples_in(root / "out", variants[0])


def regions(labels: NDArray[Any]) -> set[bytes]:
    """The regions of a label map, each as the bytes of its mask; nothing of their order."""
    return {(labels == label).tobytes() for label in np.unique(labels) if label}


@pytest.mark.parametrize("exporter", sorted(set(EXPORTERS) - BOXES_ALONE))
def test_targets_are_the_masks_of_the_file(tmp_path: Path, exporter: str) -> None:
    source = EXPORTERS[exporter](tmp_path / "in")
    samples = build(tmp_path, source)
    assert len(samples) == len(PICTURES)
    wanted = []
    for picture, masks in enumerate(MASKS):
        if source["annotations"] == ["instances"]:
            painted = np.zeros((HEIGHT, WIDTH), np.int64)
            for label, mask in enumerate(masks, 1):
                painted[mask] = label
        else:
            painted = panoptic_ids(picture, PANOPTIC_IDS)
        wanted.append(regions(painted))
    drawn = []
    for files in samples.values():
        decoded = sgt_data.decode(files["target.png"], json.loads(files["json"]))
        drawn.append(regions(decoded.labels))
    assert sorted(map(sorted, drawn)) == sorted(map(sorted, wanted))


@pytest.mark.parametrize("exporter", sorted(set(EXPORTERS) - BOXES_ALONE - {"COCO-Stuff"}))
def test_facts_name_the_categories_of_the_file_by_its_own_ids(
    tmp_path: Path, exporter: str
) -> None:
    source = EXPORTERS[exporter](tmp_path / "in")
    place = Path(source.get("instances") or source["panoptic"])
    document = _document(place)
    stated = {(int(row["id"]), row["name"]) for row in document["categories"]}
    samples = build(tmp_path, source)
    facts = [json.loads(files["json"]) for files in samples.values()]
    named = {(fact["category_id"], fact["category"]) for one in facts for fact in one["segments"]}
    assert named <= stated
    assert {name for _, name in named} >= set(NAMES)


def _document(place: Path) -> Any:
    data = place.read_bytes()
    return json.loads(gzip.decompress(data) if place.suffix == ".gz" else data)


def test_boxes_alone_are_named_before_the_build_and_in_the_ledger(tmp_path: Path) -> None:
    report = built(tmp_path / "out", objects365(tmp_path / "in"), [proxy_of("instance")])
    assert any("boxes alone" in note for note in report.notes)
    rows = ledger_in(tmp_path / "out", "instance")
    assert len(rows) == len(PICTURES)
    assert all("none of its 2 annotations has a mask" in row["reason"] for row in rows)
