"""What the audit says of real targets: maps as they are stored, maps whose colours were blended by
a resize, and pictures."""

from __future__ import annotations

import io
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sgt_data import IN_PROCESS, build_corpus, open_corpus, parse_manifest
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.segmentation.target_audit import audit_target

MAPS = ("panoptic", "semantic", "instance", "tab20", "boxes")
TARGETS = 40


@pytest.fixture(scope="module")
def corpus(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Targets of real COCO."""
    root = str(tmp_path_factory.mktemp("audited") / "corpus")
    segmentation = {"type": "segmentation"}
    proxies = [
        *({**segmentation, "name": name, "variant": name} for name in MAPS[:3]),
        {**segmentation, "name": "tab20", "variant": "panoptic", "palette": "tab20"},
        {"type": "boxes"},
        {"type": "edge", "method": "sobel"},
    ]
    source = {"type": "coco", "root": str(real_data / "coco"), "split": "train2017",
              "annotations": ["instances", "panoptic"]}  # fmt: skip
    manifest = parse_manifest({"name": "audited", "sources": [source], "proxies": proxies})
    assert build_corpus(manifest, root, cluster=IN_PROCESS).succeeded
    return open_corpus(root)


@pytest.mark.parametrize("proxy", MAPS)
def test_a_real_map_is_labels_and_blended_labels_after_a_resize(corpus: Corpus, proxy: str) -> None:
    stored, resized = set(), set()
    for sample in islice(corpus.samples(proxy), TARGETS):
        image = sample.target_image
        stored.add(audit_target(np.asarray(image), is_lossless=True).kind)
        smaller = image.resize(
            (image.width * 2 // 3, image.height * 2 // 3), Image.Resampling.BICUBIC
        )
        resized.add(audit_target(np.asarray(smaller), is_lossless=True).kind)
    assert (stored, resized) == ({"labels"}, {"blended labels"})


def test_real_photos_and_their_edges_are_pictures(corpus: Corpus) -> None:
    for sample in islice(corpus.samples("edge"), TARGETS):
        assert audit_target(np.asarray(sample.target_image), is_lossless=True).kind == "picture"
        photo = io.BytesIO()
        sample.input_image.save(photo, "PNG")
        with Image.open(photo) as image:
            assert audit_target(np.asarray(image), is_lossless=True).kind == "picture"
