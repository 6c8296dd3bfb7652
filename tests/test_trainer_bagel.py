"""BAGEL's own data code, as published and as SGT released it, on our exports and feeders."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from bagel_lines import apply_comments, apply_diff, blocks, copied_code
from PIL import Image
from trainer_code import ROOT, checkout_of, run_script

from sgt_data import IN_PROCESS, build_corpus, open_corpus, write_questions
from sgt_data.exports.bagel_shares import share_of_worker
from sgt_data.exports.bagel_tokens import (
    PACKED_MAX,
    QUESTION_SIZES,
    VAE_SIZES,
    VIT_SIZES,
)
from sgt_data.exports.export import export_corpus
from sgt_data.exports.export_options import ExportOptions
from sgt_data.manifest.manifest import parse_manifest

pytestmark = pytest.mark.trainers

PAGE = (ROOT / "docs/bagel.md").read_text()
PROXIES = ("panoptic", "edge", "denoise", "generate-panoptic")
EDITED = ("panoptic", "generate-panoptic")
PLANS = {
    "sgt": ["seen", "text", "drawn"],
    "edit": ["given", "seen", "text", "drawn"],
}


def checkout(name: str) -> Path:
    return {"SGT": lambda: checkout_of("SGT") / "BAGEL", "Bagel": lambda: checkout_of("Bagel")}[
        name
    ]()


@pytest.fixture(scope="module")
def world(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `bagel-corpus` and `bagel-questions`, as the page makes them, with more
    proxies."""
    root = tmp_path_factory.mktemp("bagel")
    manifest = parse_manifest(
        {
            "name": "bagel",
            "shard_samples": 5,
            "inputs": "shared",
            "pictures": {"min_side": 512, "max_side": 1024, "multiple_of": 16},
            "sources": [{"type": "coco", "root": str(sample_sources / "coco"),
                         "annotations": ["panoptic"]}],
            "proxies": [
                {"type": "segmentation", "name": "panoptic", "variant": "panoptic"},
                {"type": "edge"},
                {"type": "denoise"},
                {"type": "generate", "of": "panoptic"},
            ],
        }
    )  # fmt: skip
    assert build_corpus(manifest, str(root / "bagel-corpus"), cluster=IN_PROCESS).succeeded
    write_questions(str(root / "bagel-corpus"), str(root / "bagel-questions"))
    return root


def read(code: Path, command: str, *arguments: str | Path) -> Any:
    """What BAGEL's code at `code` makes, and with it our package."""
    path = os.pathsep.join([str(code), str(ROOT)])
    python = Path(sys.executable)
    return run_script(python, "read_bagel.py", command, *arguments, PYTHONPATH=path)


def rgb(picture: Image.Image) -> list[Any]:
    pixels = np.ascontiguousarray(np.asarray(picture.convert("RGB")))
    return [hashlib.sha256(pixels.tobytes()).hexdigest(), pixels.shape[1], pixels.shape[0]]


def expected_samples(corpus: Path, plan: str, proxies: tuple[str, ...]) -> set[str]:
    """Parts of every sample of a corpus in a plan, as text; what the ViT sees has its size alone,
    as that is a resized picture."""
    made = set()
    for proxy in proxies:
        for sample in open_corpus(str(corpus)).samples(proxy):
            parts = {
                "given": ["given", *rgb(sample.input_image)],
                "text": ["text", sample.instruction],
                "drawn": ["drawn", *rgb(sample.target_image)],
            }
            made.add(json.dumps([parts[kind] for kind in PLANS[plan] if kind != "seen"]))
    return made


def packed_parts(sample: dict[str, Any]) -> str:
    return json.dumps([part for part in sample["parts"] if part[0] != "seen"])


def seen_in_corpus(corpus: Path, parts: list[Any], proxies: tuple[str, ...]) -> bool:
    """Whether what the ViT sees is a picture of the corpus, resized as BAGEL does."""
    ((_, digest, width, height),) = (part for part in parts if part[0] == "seen")
    resized = (
        sample.input_image.resize((width, height), Image.Resampling.BICUBIC)
        for proxy in proxies
        for sample in open_corpus(str(corpus)).samples(proxy)
    )
    return any(rgb(picture)[0] == digest for picture in resized)


def questions_of(folder: Path) -> set[tuple[str, str]]:
    lines = map(json.loads, (folder / "train.jsonl").read_text().splitlines())
    return {
        (turns[0]["value"].removeprefix("<image>\n"), turns[1]["value"])
        for turns in (line["conversations"] for line in lines)
    }


@pytest.mark.parametrize(
    ("name", "heading", "plan"),
    [("SGT", "5. The feeder, for SGT's BAGEL", "sgt"),
     ("Bagel", "6. The feeder, for the original BAGEL", "edit")],
)  # fmt: skip
def test_the_first_packed_batch_comes_from_following_the_page(
    world: Path, tmp_path: Path, name: str, heading: str, plan: str
) -> None:
    """Nothing but the blocks of the page, applied to a copy of the code."""
    code = copied_code(checkout(name), tmp_path)
    (diff,) = blocks(PAGE, heading, "diff")
    (config,) = blocks(PAGE, heading, "yaml")
    apply_diff(code, re.sub(r"'(bagel-(?:corpus|questions))", rf"'{world}/\1", diff))
    (code / "data/configs/sgt.yaml").write_text(config)
    batches = read(code, "pack", code / "data/configs/sgt.yaml", "2", "2")
    corpus = world / "bagel-corpus"
    proxies = ("panoptic",) if plan == "sgt" else PROXIES
    expected = expected_samples(corpus, plan, proxies)
    asked = questions_of(world / "bagel-questions")
    groups = [sample["dataset_name"] for batch in batches for sample in batch["samples"]]
    assert set(groups) == {"sgt", "sgt_questions"}
    for batch in batches:
        assert batch["length"] <= PACKED_MAX
        for sample in batch["samples"]:
            kinds = [part[0] for part in sample["parts"]]
            if sample["dataset_name"] == "sgt":
                assert kinds == PLANS[plan]
                assert packed_parts(sample) in expected
            else:
                assert kinds == ["seen", "text", "answer"]
                assert tuple(part[1] for part in sample["parts"][1:]) in asked
    drawings = [sample for sample in batches[0]["samples"] if sample["dataset_name"] == "sgt"]
    assert all(seen_in_corpus(corpus, sample["parts"], proxies) for sample in drawings[:3])


@pytest.fixture
def exported(world: Path, tmp_path: Path) -> Iterator[Path]:
    """The export, and SGT's code with the lines that its `bagel.yaml` names."""
    code = copied_code(checkout("SGT"), tmp_path / "code")
    options = ExportOptions(questions=str(world / "bagel-questions"))
    export_corpus(str(world / "bagel-corpus"), str(tmp_path / "bagel"), options=options)
    apply_comments(code, tmp_path / "bagel/bagel.yaml")
    yield tmp_path


def test_sgts_own_classes_pack_the_export(world: Path, exported: Path) -> None:
    config = exported / "bagel/bagel.yaml"
    batches = read(exported / "code", "pack", config, "3")
    expected = {
        f"sgt_{proxy}": expected_samples(world / "bagel-corpus", "sgt", (proxy,))
        for proxy in PROXIES
    }
    asked = questions_of(world / "bagel-questions")
    groups = set()
    for sample in (sample for batch in batches for sample in batch["samples"]):
        groups.add(sample["dataset_name"])
        if sample["dataset_name"] == "vlm_sft":
            assert tuple(part[1] for part in sample["parts"][1:]) in asked
        else:
            assert packed_parts(sample) in expected[sample["dataset_name"]]
    assert groups == {"vlm_sft", *expected}


def test_sgts_loop_packs_two_drawings_for_each_question(exported: Path) -> None:
    config = exported / "bagel/bagel.yaml"
    document = yaml.safe_load(config.read_text())
    weights = {name: group["weight"] for name, group in document.items()}
    assert weights.pop("vlm_sft") * 2 == sum(weights.values())


def test_the_feeder_gives_what_sgts_own_class_reads_of_the_export(
    world: Path, exported: Path
) -> None:
    """One proxy by both ways: the same samples, in all their fields."""
    code, config = exported / "code", exported / "both.yaml"
    apply_diff(
        code,
        "+from sgt_data.trainers.bagel import BagelDataset\n DATASET_REGISTRY = {\n"
        "+    'sgt': BagelDataset,\n DATASET_INFO = {\n"
        f"+    'sgt': {{'corpus': {{'data_dir': '{world}/bagel-corpus'}}}},\n",
    )
    document = yaml.safe_load((exported / "bagel/bagel.yaml").read_text())
    group = document["sgt_edge"]
    feeder = group | {"dataset_names": ["corpus"], "proxies": ["edge"]}
    config.write_text(yaml.safe_dump({"sgt_edge": group, "sgt": feeder}))
    count = sum(1 for _ in open_corpus(str(world / "bagel-corpus")).samples("edge"))
    samples = read(code, "samples", config, str(count))
    theirs, ours = (sorted(map(json.dumps, samples[name])) for name in ("sgt_edge", "sgt"))
    assert len(theirs) == count and theirs == ours


@pytest.mark.parametrize("name", ["SGT", "Bagel"])
def test_the_plan_edit_is_that_of_bagels_own_editing_data(
    world: Path, tmp_path: Path, name: str
) -> None:
    code = copied_code(checkout(name), tmp_path / "code")
    corpus = open_corpus(str(world / "bagel-corpus"))
    rows = []
    for number, sample in enumerate(
        itertools.chain.from_iterable(
            itertools.islice(corpus.samples(proxy), 2) for proxy in EDITED
        )
    ):
        for kind, data in (("input", sample.input), ("target", sample.target)):
            (tmp_path / f"{number}.{kind}").write_bytes(data)
        rows.append([f"{tmp_path}/{number}.input", f"{tmp_path}/{number}.target",
                     sample.instruction])  # fmt: skip
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    apply_diff(
        code,
        "+from sgt_data.trainers.bagel import BagelDataset\n DATASET_REGISTRY = {\n"
        "+    'sgt': BagelDataset,\n DATASET_INFO = {\n"
        f"+    'sgt': {{'corpus': {{'data_dir': '{corpus.url}'}}}},\n",
    )
    group = {
        "dataset_names": ["corpus"], "plan": "edit", "weight": 1.0, "proxies": list(EDITED),
        "image_transform_args": {
            "image_stride": 16, "max_image_size": 1024, "min_image_size": 512},
        "vit_image_transform_args": {
            "image_stride": 14, "max_image_size": 224, "min_image_size": 224},
    }  # fmt: skip
    (tmp_path / "sgt.yaml").write_text(yaml.safe_dump({"sgt": group}))
    count = sum(sum(corpus.samples_per_shard(proxy)) for proxy in EDITED)
    samples = read(code, "samples", tmp_path / "sgt.yaml", str(count), tmp_path / "rows.json")
    theirs, ours = samples["edit"], samples["sgt"]
    assert set(map(json.dumps, theirs)) <= set(map(json.dumps, ours))
    assert len(theirs) == 2 * len(EDITED)


@pytest.mark.parametrize("name", ["SGT", "Bagel"])
def test_conversations_are_those_of_bagels_own_class(
    world: Path, tmp_path: Path, name: str
) -> None:
    code = copied_code(checkout(name), tmp_path / "code")
    questions = world / "bagel-questions"
    apply_diff(
        code,
        "+from sgt_data.trainers.bagel_conversations import BagelConversations\n"
        " DATASET_REGISTRY = {\n+    'ours': BagelConversations,\n DATASET_INFO = {\n"
        f"+    'ours': {{'q': {{'data_dir': '{questions}', "
        f"'jsonl_path': '{questions}/train.jsonl'}}}},\n"
        "     'vlm_sft': {\n"
        f"+        'q': {{'data_dir': '{questions}', 'jsonl_path': '{questions}/train.jsonl'}},\n",
    )
    count = len((questions / "train.jsonl").read_text().splitlines())
    group = {
        "dataset_names": ["q"], "num_used_data": [count], "weight": 1.0,
        "image_transform_args": {"image_stride": 14, "max_image_size": 980,
                                 "min_image_size": 378, "max_pixels": 2_007_040},
    }  # fmt: skip
    frames = {"frame_sampler_args": {"max_num_frames": 12, "min_num_frames": 8}}
    (tmp_path / "both.yaml").write_text(yaml.safe_dump({"vlm_sft": group | frames, "ours": group}))
    samples = read(code, "samples", tmp_path / "both.yaml", str(count))
    theirs, ours = (sorted(map(json.dumps, samples[name])) for name in ("vlm_sft", "ours"))
    assert len(theirs) == count and theirs == ours


@pytest.mark.parametrize("name", ["SGT", "Bagel"])
def test_tokens_are_counted_as_bagels_transform_makes_them(name: str) -> None:
    """Never fewer than there are, and exact for pictures that keep their size."""
    choose = random.Random(1)
    pictures = [[choose.randint(16, 2500), choose.randint(16, 2500)] for _ in range(50)]
    kept = [[16 * choose.randint(32, 64), 16 * choose.randint(32, 64)] for _ in range(15)]
    tried = [VAE_SIZES, VIT_SIZES, QUESTION_SIZES]
    arguments = [
        {"image_stride": sizes.stride, "max_image_size": sizes.most, "min_image_size": sizes.least}
        for sizes in tried
    ]
    made = read(checkout(name), "sizes", json.dumps(pictures + kept), json.dumps(arguments))
    for sizes, of_sizes in zip(tried, np.array(made), strict=True):
        tokens = of_sizes[:, 0] * of_sizes[:, 1] // sizes.stride**2
        counted = sizes.tokens(*np.array(pictures + kept).T)
        assert (counted >= tokens).all() and (counted <= tokens * 1.5 + 200).all()
        if sizes is VAE_SIZES:
            assert (counted[len(pictures) :] == tokens[len(pictures) :]).all()


def test_the_stated_sum_is_what_bagel_needs_room_for(exported: Path) -> None:
    """With so many tokens its masks are made; with room for half of them they cannot be."""
    config = exported / "bagel/bagel.yaml"
    (stated,) = re.findall(r"Mandatory groups have ([\d,]+) together", config.read_text())
    tokens = int(stated.replace(",", ""))

    def pack(room: int) -> Any:
        limits = (f"max_num_tokens={room}", f"expected_num_tokens={room}")
        return read(exported / "code", "pack", config, "2", "0", *limits)

    assert all(batch["length"] <= tokens for batch in pack(tokens))
    with pytest.raises(AssertionError, match="create_sparse_mask"):
        pack(tokens // 2)


def test_the_released_loader_gives_workers_the_share_that_the_note_states(exported: Path) -> None:
    config, readers = exported / "edge.yaml", [(2, 3), (4, 2), (1, 2)]
    document = yaml.safe_load((exported / "bagel/bagel.yaml").read_text())
    config.write_text(yaml.safe_dump({"sgt_edge": document["sgt_edge"]}))
    lines = (exported / "bagel/edge.jsonl").read_text().splitlines()[:7]
    (exported / "bagel/edge.jsonl").write_text("\n".join(lines) + "\n")
    shares = read(exported / "code", "shares", config, json.dumps(readers))
    for (ranks, workers), given in zip(readers, shares, strict=True):
        assert given == [[share_of_worker(7, ranks, workers)]] * workers
    assert shares[1] == [[0], [0]], "7 samples for 4 ranks x 2 workers: nobody gets one"
