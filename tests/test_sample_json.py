"""The JSON of samples: every key is always written with one type, so that tables can be made of it.

Hugging Face `datasets` settles the types of its columns by the first five samples of a tar.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from making import (
    SMALL,
    built,
    coco_annotation,
    coco_document,
    coco_image,
    jpeg,
    not_shown,
    proxy_of,
    run_lengths,
    write_coco,
)

from sgt_data import IN_PROCESS, build_corpus, open_corpus, verify_corpus
from sgt_data.manifest.manifest import parse_manifest

SEGMENTED = [
    *(proxy_of(variant) for variant in ("entity", "instance")),
    {"type": "referring"},
    {"type": "boxes"},
]


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")


def form_of(value: Any) -> Any:
    """The type of a JSON value: of an object by key, of a list by its items."""
    if isinstance(value, dict):
        assert value, "an object without keys cannot become a column"
        return {name: form_of(item) for name, item in value.items()}
    if isinstance(value, list):
        forms = [form_of(item) for item in value]
        assert forms, "an empty list has no type"
        assert all(form == forms[0] for form in forms), "items of several types"
        return [forms[0]]
    assert value is not None, "null has no type"
    return type(value)


def rows_of(corpus: Path, proxy: str, streaming: bool, cache: Path) -> Iterator[dict[str, Any]]:
    """The rows that `datasets` makes of a proxy's tars."""
    import datasets

    yield from datasets.load_dataset(
        "webdataset",
        data_files=sorted(map(str, (corpus / proxy).glob("*.tar"))),
        split="train",
        streaming=streaming,
        cache_dir=str(cache),
    )


def check_rows(corpus: Path, proxy: str, cache: Path) -> None:
    """`datasets` gives the JSON of every sample as it is stored, in both of its ways."""
    stored = {sample.key: sample.facts for sample in open_corpus(str(corpus)).samples(proxy)}
    for streaming in (False, True):
        rows = {
            row["__key__"]: row["json"] for row in rows_of(corpus, proxy, streaming, cache / proxy)
        }
        assert rows == stored, (proxy, streaming)


def late_coco(root: Path) -> dict[str, Any]:
    """Seven plain pictures; then one with a crowd, a hidden segment, a licence and rare kinds."""
    square, inner = np.zeros((48, 64), bool), np.zeros((48, 64), bool)
    square[8:40, 8:40] = inner[12:20, 12:20] = True
    annotations = [coco_annotation(number, number, run_lengths(square)) for number in range(1, 9)]
    annotations += [
        coco_annotation(20, 8, run_lengths(square), iscrowd=1, category_id=2),
        coco_annotation(21, 8, run_lengths(inner), category_id=5),
    ]
    images = [coco_image(number) for number in range(1, 9)]
    for image in images[:7]:
        del image["license"]
    pictures = {f"{number:012d}.jpg": jpeg(64, 48, number) for number in range(1, 9)}
    write_coco(root, pictures, {"instances": coco_document(images, annotations)})
    return {"type": "coco", "root": str(root), "annotations": ["instances"]}


def test_what_comes_only_late_is_read_by_hugging_face_datasets(tmp_path: Path) -> None:
    """Of format 1.0, `hidden` and `dropped` are empty until the last picture, and a key is new."""
    filters = {"crowds": "drop"}
    proxies = [*SEGMENTED, {"type": "boxes", "name": "no-crowds", "filters": filters}]
    out = tmp_path / "out"
    assert built(out, late_coco(tmp_path / "in"), proxies, shard_samples=8).succeeded
    facts = [sample.facts for sample in open_corpus(str(out)).samples("instance")]
    assert [len(not_shown(of_picture)) for of_picture in facts] == [0] * 7 + [1]
    assert [of_picture["source"]["licence"] for of_picture in facts[-2:]] == [
        "",
        "Attribution License",
    ]
    assert verify_corpus(str(out), deep=True).sound
    for proxy in open_corpus(str(out)).proxies:
        check_rows(out, proxy, tmp_path / "cache")


def test_every_proxys_samples_have_one_form(sample_sources: Path, tmp_path: Path) -> None:
    """Over sources with categories and without, with scores and without."""
    import yaml

    demo = yaml.safe_load((Path(__file__).parent.parent / "manifests" / "demo.yaml").read_text())
    masks, things = demo["sources"]
    masks["tars"], things["root"] = f"{sample_sources}/sa1b/sa_*.tar", f"{sample_sources}/coco"
    for source in (masks, things):
        source |= {
            "depth": f"{sample_sources}/depth",
            "normals": f"{sample_sources}/normals",
            "intrinsics": f"{sample_sources}/intrinsics.json",
        }
    del masks["licence"]
    demo["proxies"][0].pop("sources")  # entities of both sources
    demo["proxies"].append({"type": "edge", "name": "canny-median", "method": "canny"})
    report = build_corpus(
        parse_manifest(demo | {"pictures": SMALL}), str(tmp_path), cluster=IN_PROCESS
    )
    assert report.succeeded
    corpus = open_corpus(str(tmp_path))
    for proxy in corpus.proxies:
        forms = [form_of(sample.facts) for sample in corpus.samples(proxy)]
        assert len(forms) > 8 and all(form == forms[0] for form in forms), proxy
        assert list(forms[0])[:2] == ["version", "minor"]


@pytest.mark.skipif("SGT_REAL_DATA" not in os.environ, reason="SGT_REAL_DATA names no folder")
def test_real_crowds_are_read_by_hugging_face_datasets(real_data: Path, tmp_path: Path) -> None:
    coco = {"type": "coco", "root": f"{real_data}/coco", "annotations": ["instances", "panoptic"]}
    proxies = [*SEGMENTED[1:], proxy_of("panoptic")]
    out = tmp_path / "out"
    assert built(out, coco, proxies, shard_samples=64).succeeded
    crowds = [
        segment
        for sample in open_corpus(str(out)).samples("panoptic")
        for segment in sample.facts["segments"]
        if segment["iscrowd"]
    ]
    assert crowds
    for proxy in open_corpus(str(out)).proxies:
        check_rows(out, proxy, tmp_path / "cache")
