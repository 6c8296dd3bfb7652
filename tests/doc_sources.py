"""What the pages of the documentation name: the demo, data sets below `/data/`, a bucket."""

from __future__ import annotations

import json
import os
import shutil
import urllib.request
from pathlib import Path

from sgt_data import write_samples

TARS = 17
"""Tars of SA-1B that the shipped manifests name."""


def lay_out_demo(folder: Path, demo: Path) -> None:
    """Put the result of `make demo` into a page's folder, as hard links: a page may delete files,
    and files that are written anew are other files."""
    shutil.copytree(demo, folder / "demo", copy_function=os.link)


def lay_out_data(folder: Path, text: str) -> None:
    """Put the data sets that a text names below `/data/` into the page's folder, below `data/`.

    Args:
        folder: of the page; holds the demo.
        text: of its blocks.
    """
    coco, data = folder / "demo" / "sources" / "coco", folder / "data"
    data.mkdir()
    if "/data/coco" in text:
        shutil.copytree(coco, data / "coco", copy_function=os.link)
    if "/data/photos" in text:
        shutil.copytree(coco / "train2017", data / "photos", copy_function=os.link)
    if "/data/export" in text:
        shutil.copytree(coco / "train2017", data / "export" / "images", copy_function=os.link)
        labels = coco / "annotations" / "instances_train2017.json"
        os.link(labels, data / "export" / "labels.json")
    if "/data/sgt" in text:
        maps = coco / "annotations" / "panoptic_train2017"
        shutil.copytree(coco / "train2017", data / "sgt" / "sam_selection", copy_function=os.link)
        shutil.copytree(maps, data / "sgt" / "sam_mask", copy_function=os.link)
    if "/data/edits" in text:
        shutil.copytree(coco / "train2017", data / "edits" / "images", copy_function=os.link)
        names = sorted(os.listdir(data / "edits" / "images"))
        rows = [
            {"input_image": f"images/{name}", "edited_image": f"images/{other}",
             "edit_prompt": "Paint another scene."}
            for name, other in zip(names, [*names[1:], names[0]], strict=True)
        ]  # fmt: skip
        (data / "edits" / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)))
    if "/data/sa1b" in text:
        drawn = folder / ".drawn"
        write_samples(str(drawn), TARS, size=(96, 64), forms=["sa1b"], pictures_per_tar=1)
        shutil.move(drawn / "sa1b", data / "sa1b")


def bucket(endpoint: str) -> dict[str, str]:
    """Make an empty bucket named `bucket`; returns the variables with which it is found.

    Args:
        endpoint: URL of a moto server, which loses all that it holds.
    """
    for method, place in (("POST", "moto-api/reset"), ("PUT", "bucket")):
        urllib.request.urlopen(urllib.request.Request(f"{endpoint}/{place}", method=method))
    return {
        "FSSPEC_S3_ENDPOINT_URL": endpoint,
        "FSSPEC_S3_KEY": "key",
        "FSSPEC_S3_SECRET": "secret",
    }
