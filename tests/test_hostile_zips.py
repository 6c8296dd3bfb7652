"""A zip whose members unpack to more memory than there is costs these members alone."""

from __future__ import annotations

import resource
import zipfile
from pathlib import Path

from making import (
    boxes,
    built,
    coco_annotation,
    coco_document,
    coco_image,
    jpeg,
    ledger_in,
    proxy_of,
    run_lengths,
    write_coco,
)

from sgt_data.files.tar_walk import MEMBER_BYTES_MAX

_PIECE = bytes(8 << 20)


def test_a_member_that_unpacks_to_gigabytes_costs_itself_and_no_memory(tmp_path: Path) -> None:
    images = [coco_image(number) for number in (1, 2)]
    masks = [coco_annotation(n, n, run_lengths(boxes(64, 48)[0])) for n in (1, 2)]
    documents = {"instances": coco_document(images, masks)}
    root = write_coco(tmp_path / "coco", {}, documents)
    with zipfile.ZipFile(tmp_path / "p.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("train2017/000000000001.jpg", jpeg(64, 48))
        with archive.open("train2017/000000000002.jpg", "w") as member:
            for _ in range(MEMBER_BYTES_MAX // len(_PIECE) + 1):
                member.write(_PIECE)
    source = {"type": "coco", "root": str(root), "annotations": ["instances"],
              "pictures": str(tmp_path / "p.zip")}  # fmt: skip
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    report = built(tmp_path / "corpus", source, [proxy_of("instance")])
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert report.totals["instance"]["samples"] == 1
    (row,) = ledger_in(tmp_path / "corpus", "instance")
    assert "000000000002.jpg" in row["member"] and str(MEMBER_BYTES_MAX) in row["reason"]
    assert grown < MEMBER_BYTES_MAX >> 10
