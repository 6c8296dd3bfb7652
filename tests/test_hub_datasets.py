"""Hugging Face `datasets` reads a corpus from its root, pushed or as built: a configuration per
folder, every sample of it with the JSON as it is stored. It is what the Hub's viewer runs, too."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import hub_server
import making
import numpy as np
import orjson
import pytest
import yaml
from hub_server import Hub
from PIL import Image

from sgt_data import IN_PROCESS, Corpus, build_corpus, open_corpus, push_corpus, subset
from sgt_data.corpus.columns import columns_of
from sgt_data.corpus.paths import INPUT, README_FILE
from sgt_data.corpus.readme import MARKER, readme_text, write_readme
from sgt_data.facts import UNIFORM_TYPES
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.proxies.registry import proxy_kinds

PLACES = {"depth": "depth", "normals": "normals", "intrinsics": "intrinsics.json"}
DEMO = Path(__file__).parent.parent / "manifests" / "demo.yaml"
DATA = Path(__file__).parent / "data"
REPO = "somebody/every-proxy"
TYPES = {"__key__", "__url__", "json", "txt", "input.jpg", "target.png", "target.jpg"}


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No other Hub is asked, and nothing is kept for other tests."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


@pytest.fixture(scope="module")
def shared(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A proxy of every type that needs no weights, over shared pictures of both sources."""
    document = yaml.safe_load(DEMO.read_text())
    first, second = document["sources"]
    first["tars"], second["root"] = f"{sample_sources}/sa1b/sa_*.tar", f"{sample_sources}/coco"
    for source in (first, second):
        for field, place in PLACES.items():
            source[field] = f"{sample_sources}/{place}"
    of_type = {proxy["type"]: proxy for proxy in document["proxies"]}
    of_type["generate"]["of"] = of_type["segmentation"]["name"]
    document |= {"pictures": making.SMALL, "inputs": "shared", "proxies": [*of_type.values()]}
    root = tmp_path_factory.mktemp("datasets") / "shared"
    assert build_corpus(parse_manifest(document), str(root), cluster=IN_PROCESS).succeeded
    return root


@pytest.fixture(scope="module")
def pushed(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository of a push with all pictures, as a person downloads it."""
    with pytest.MonkeyPatch.context() as patch, hub_server.used(patch) as server:
        assert push_corpus(str(shared), REPO, pictures=True).complete
        return server.write_to(tmp_path_factory.mktemp("datasets") / "pushed", REPO)


def stored_facts(corpus: Corpus, folder: str) -> dict[str, dict[str, Any]]:
    return {
        corpus.reader.key(folder, shard, row): corpus.reader.facts(folder, shard, row)
        for shard in corpus.shards(folder)
        for row in range(corpus.reader.count(folder, shard))
    }


def check_folder(root: Path, folder: str, streaming: bool) -> None:
    """`datasets` gives the samples of a folder as they are stored."""
    import datasets

    corpus = open_corpus(str(root))
    rows = list(datasets.load_dataset(str(root), folder, split="train", streaming=streaming))
    facts = stored_facts(corpus, folder)
    assert {row["__key__"]: row["json"] for row in rows} == facts
    assert all(row.keys() <= TYPES for row in rows)
    if folder == INPUT:
        return
    by_key = {row["__key__"]: row for row in rows}
    for sample in corpus.samples(folder, corpus.shards(folder)[:1]):
        row = by_key[sample.key]
        assert row["txt"] == sample.instruction
        if folder in corpus.bases:  # its pictures are those of its base
            continue
        with Image.open(io.BytesIO(sample.target)) as target:
            seen = row[f"target.{sample.extension}"]
            assert np.array_equal(np.asarray(seen.convert("RGB")), target.convert("RGB"))


def test_every_configuration_of_a_pushed_corpus_gives_its_samples(pushed: Path) -> None:
    import datasets

    corpus = open_corpus(str(pushed))
    names = datasets.get_dataset_config_names(str(pushed))
    assert names == [*corpus.proxies, INPUT]
    assert datasets.get_dataset_default_config_name(str(pushed)) == corpus.proxies[0]
    assert datasets.get_dataset_split_names(str(pushed), INPUT) == ["train"]
    for folder in names:
        check_folder(pushed, folder, streaming=True)
    for folder in ("semantic", "depth-inferno", "denoise", INPUT):
        check_folder(pushed, folder, streaming=False)


def test_the_root_of_a_corpus_gives_samples_and_not_the_index(shared: Path) -> None:
    import datasets

    first = open_corpus(str(shared)).proxies[0]
    rows = datasets.load_dataset(str(shared), split="train")
    assert set(rows.column_names) == {"target.png", "txt", "json", "__key__", "__url__"}
    assert {row["__key__"] for row in rows} == stored_facts(open_corpus(str(shared)), first).keys()
    check_folder(shared, INPUT, streaming=False)


def test_targets_are_joined_with_shared_inputs_as_the_card_says(pushed: Path) -> None:
    import datasets

    inputs = datasets.load_dataset(str(pushed), INPUT, split="train")
    row_of = {key: row for row, key in enumerate(inputs["__key__"])}
    targets = datasets.load_dataset(str(pushed), "semantic", split="train")
    corpus = open_corpus(str(pushed))
    for target, sample in zip(targets, corpus.samples("semantic"), strict=True):
        picture = inputs[row_of[target["__key__"]]]["input.jpg"]
        with Image.open(io.BytesIO(sample.input)) as expected:
            assert np.array_equal(np.asarray(picture), expected)


def test_a_repository_is_read_from_the_hub(
    shared: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import datasets
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    push_corpus(str(shared), REPO)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(datasets.config, "HF_ENDPOINT", hub.endpoint)
    monkeypatch.setattr(
        datasets.config, "HUB_DATASETS_URL",
        hub.endpoint + "/datasets/{repo_id}/resolve/{revision}/{path}",
    )  # fmt: skip
    names = datasets.get_dataset_config_names(REPO)
    assert "semantic" in names and INPUT not in names
    rows = list(datasets.load_dataset(REPO, "semantic", split="train", streaming=True))
    stored = stored_facts(open_corpus(str(shared)), "semantic")
    assert {row["__key__"]: row["json"] for row in rows} == stored


def late_segments(root: Path) -> dict[str, Any]:
    """Six pictures without any segment, then one with two."""
    mask = np.zeros((48, 64), bool)
    mask[8:40, 8:30] = True
    annotations = [
        making.coco_annotation(20, 7, making.run_lengths(mask), iscrowd=1),
        making.coco_annotation(21, 7, making.run_lengths(~mask), category_id=2),
    ]
    images = [making.coco_image(number) for number in range(1, 8)]
    pictures = {f"{number:012d}.jpg": making.jpeg(64, 48, number) for number in range(1, 8)}
    document = making.coco_document(images, annotations)
    making.write_coco(root, pictures, {"instances": document})
    return {"type": "coco", "root": str(root), "annotations": ["instances"]}


def test_segments_that_come_only_late_are_read(tmp_path: Path) -> None:
    """From five samples without one, `datasets` alone cannot guess what a segment is."""
    import datasets

    source = late_segments(tmp_path / "in") | {"name": "val2017"}
    none = {"min_segments": 0}
    proxies = [
        {**making.proxy_of("instance"), "filters": none},
        {"type": "boxes", "filters": none},
        {**making.proxy_of("instance"), "name": "empty", "filters": {**none, "min_area": 0.99}},
    ]
    root = tmp_path / "out"
    assert making.built(root, source, proxies, shard_samples=3).complete
    for folder in ("instance", "boxes", "empty"):
        for streaming in (True, False):
            check_folder(root, folder, streaming)
            check_tars(root, folder, streaming)
    (root / README_FILE).unlink()
    with pytest.raises(Exception):  # noqa: B017 - whatever it is that it fails with
        datasets.load_dataset("webdataset", data_files=f"{root}/boxes/*.tar", split="train")


def check_tars(root: Path, folder: str, streaming: bool) -> None:
    """Of tars alone, without the card, `datasets` gives the samples where it is told that their
    JSON is JSON."""
    import datasets

    stated = datasets.load_dataset(str(root), folder, split="train", streaming=True).features
    rows = datasets.load_dataset(
        "webdataset", data_files=f"{root}/{folder}/*.tar", split="train", streaming=streaming,
        features=datasets.Features({**stated, "json": datasets.Json()}),
    )  # fmt: skip
    stored = stored_facts(open_corpus(str(root)), folder)
    read = {row["__key__"]: row["json"] for row in rows}
    assert read.keys() == stored.keys()
    assert all(is_nearly(read[key], facts) for key, facts in stored.items())


def is_nearly(read: Any, stored: Any) -> bool:
    """Whether JSON is the same, with numbers as exact as those of a column of the type Json."""
    if isinstance(stored, dict):
        return read.keys() == stored.keys() and all(is_nearly(read[n], stored[n]) for n in stored)
    if isinstance(stored, list):
        return len(read) == len(stored) and all(map(is_nearly, read, stored))
    return bool(read == (pytest.approx(stored, abs=1e-9) if isinstance(stored, float) else stored))


def test_a_shard_of_validation_pictures_is_no_split(tmp_path: Path) -> None:
    """`datasets` takes `val`, `test` and `dev` in the name of a file for a split, where no card
    says otherwise."""
    import datasets

    source = late_segments(tmp_path / "in")
    sources = [source | {"name": name} for name in ("val2017", "test", "train")]
    root = tmp_path / "out"
    assert making.built(root, sources, [{"type": "edge"}], shard_samples=3).complete
    assert any(path.name.startswith("val2017-") for path in (root / "edge").iterdir())
    for arguments in ((str(root),), (str(root), "edge")):
        read = datasets.load_dataset(*arguments)
        assert {split: rows.num_rows for split, rows in read.items()} == {"train": 21}


def test_real_pictures_with_crowds_are_read(real_data: Path, tmp_path: Path) -> None:
    source = {
        "type": "coco", "name": "val2017", "root": f"{real_data}/coco",
        "annotations": ["instances", "panoptic"],
    }  # fmt: skip
    masks = {"type": "sa1b", "tars": f"{real_data}/sa1b/sa_*.tar"}
    none = {"min_segments": 0}
    proxies = [
        *({**making.proxy_of(kind), "filters": none} for kind in ("instance", "panoptic")),
        {"type": "boxes", "filters": none}, {"type": "referring"}, {"type": "denoise"},
    ]  # fmt: skip
    for proxy in proxies[:-1]:
        proxy["sources"] = ["val2017"]
    proxies.append({**making.proxy_of("entity"), "filters": none})
    root = tmp_path / "out"
    report = making.built(root, [source, masks], proxies, shard_samples=32, inputs="shared")
    assert report.succeeded
    facts = stored_facts(open_corpus(str(root)), "instance").values()
    assert any(segment["iscrowd"] for of_sample in facts for segment in of_sample["segments"])
    assert not all(of_sample["segments"] for of_sample in facts)
    for folder in open_corpus(str(root)).folders:
        for streaming in (True, False):
            check_folder(root, folder, streaming)
            check_tars(root, folder, streaming)


def test_json_without_one_form_is_one_column(tmp_path: Path, monkeypatch: Any) -> None:
    """Of corpora of format 1.0, and of proxies of other packages."""
    with tarfile.open(DATA / "corpus-1.0-embedded.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    root = tmp_path / "embedded"
    corpus = open_corpus(str(root))
    write_readme(corpus)
    for folder in corpus.proxies:
        columns = {column["name"]: column for column in columns_of(corpus, folder)}
        assert columns["json"] == {"name": "json", "dtype": "json"}
        check_keys(root, folder)


def check_keys(root: Path, folder: str) -> None:
    import datasets

    rows = datasets.load_dataset(str(root), folder, split="train")
    stored = stored_facts(open_corpus(str(root)), folder)
    # numbers of such a column have ten decimals
    assert {row["__key__"]: row["json"].keys() for row in rows} == {
        key: facts.keys() for key, facts in stored.items()
    }


def test_the_proxies_of_this_package_have_one_form() -> None:
    ours = {name for name, kind in proxy_kinds().items() if kind.__module__.startswith("sgt_data.")}
    assert ours == UNIFORM_TYPES


def test_a_readme_of_a_person_is_kept_and_ours_is_written_anew(
    shared: Path, tmp_path: Path
) -> None:
    half = subset(str(shared), 0.5, output=f"{tmp_path}/half", cluster=IN_PROCESS)
    copy = open_corpus(half.place)
    readme = tmp_path / "half" / README_FILE
    assert readme.read_text() == readme_text(copy)
    assert readme.read_text() != (shared / README_FILE).read_text()
    readme.write_text(f"{MARKER}\nold")
    write_readme(copy)
    assert readme.read_text() == readme_text(copy)
    readme.write_text("# Mine\n")
    write_readme(copy)
    assert readme.read_text() == "# Mine\n"


def test_names_that_a_corpus_states_are_text_in_its_readme(shared: Path) -> None:
    corpus = open_corpus(str(shared))
    document = orjson.loads((shared / "corpus.json").read_bytes())
    assert document["name"] == corpus.header.name
    from dataclasses import replace

    name = "<script>alert(1)</script> *x* `y`: !!python/object:os.system"
    text = readme_text(Corpus(corpus.url, replace(corpus.header, name=name)))
    front = yaml.safe_load(text.split("---\n")[1])
    assert front["pretty_name"] == name
    assert "<script>" not in text.split("---\n", 2)[2].replace("\\<script", "")
