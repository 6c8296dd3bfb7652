"""Relative paths of a manifest lie in its folder; those that a person types in the current one."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import sgt_data
from sgt_data.engine.cluster import IN_PROCESS
from sgt_data.errors import ManifestError, SgtDataError
from sgt_data.files.urls import absolute
from sgt_data.manifest.manifest import load_manifest, parse_manifest
from sgt_data.manifest.places import below_folder, folder_of
from sgt_data.scenes.write_samples import write_samples

MINE: dict[str, Any] = {
    "name": "mine",
    "sources": [{"type": "coco", "root": "coco", "annotations": ["panoptic"]}],
    "proxies": [{"type": "segmentation", "name": "panoptic", "variant": "panoptic"}],
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(file: Path, **changes: Any) -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(MINE | changes))
    return str(file)


@pytest.mark.parametrize(
    ("manifest", "folder"),
    [
        ("m.yaml", ""),
        ("a/m.yaml", "a"),
        ("../m.yaml", ".."),
        ("/a/b/m.yaml", "/a/b"),
        ("file:///a/m.yaml", "file:///a"),
        ("s3://bucket/a/m.yaml", "s3://bucket/a"),
        ("memory://m.yaml", "memory://"),
        ("https://host/a/m.yaml?key=a/b#c/d", "https://host/a"),
        ("/dev/stdin", ""),
        ("/dev/fd/63", ""),
        ("simplecache::s3://bucket/a/m.yaml", ""),
    ],
)
def test_the_folder_of_a_manifest(manifest: str, folder: str) -> None:
    assert folder_of(manifest) == folder


@pytest.mark.parametrize(
    ("folder", "place", "leads_to"),
    [
        ("", "coco", "coco"),
        ("a", "coco", "a/coco"),
        ("a", "../coco", "coco"),
        ("/a/b", "../../coco", "/coco"),
        ("a", "/data/coco", "/data/coco"),
        ("a", "~/coco", "~/coco"),
        ("a", "s3://bucket/coco", "s3://bucket/coco"),
        ("a", "s3:/bucket/coco", "s3:/bucket/coco"),  # a slip that its own message names
        ("a", "zip://x::/data/a.zip", "zip://x::/data/a.zip"),
        ("a", "sa/sa_{000..016}.tar", "a/sa/sa_{000..016}.tar"),
        ("a", "{x,y}/*.tar", "a/{x,y}/*.tar"),
        ("a", "{/x,/y}/*.tar", "{/x,/y}/*.tar"),
        ("a", "{/x,/y/*.tar", "{/x,/y/*.tar"),
        ("s3://bucket/a", "coco", "s3://bucket/a/coco"),
        ("s3://bucket/a", "../../../coco", "s3://coco"),
        ("https://host/a", "sa_{0..3}.tar", "https://host/a/sa_{0..3}.tar"),
        ("https://host/a", "/data/coco", "/data/coco"),
        ("file:///a", "coco", "file:///a/coco"),
        ("memory://", "coco", "memory://coco"),
    ],
)
def test_where_a_place_of_a_manifest_leads(folder: str, place: str, leads_to: str) -> None:
    assert below_folder(folder, place) == leads_to


PARTS = st.text("ab.", min_size=1, max_size=3).filter(lambda part: part.strip("."))


@given(st.lists(PARTS | st.just(".."), min_size=1, max_size=4), st.lists(PARTS, max_size=3))
def test_places_lead_where_a_shell_in_the_manifests_folder_would(
    place: list[str], folder: list[str]
) -> None:
    placed = below_folder("/".join(folder), "/".join(place))
    assert absolute(placed) == absolute("/".join([*folder, *place]))


def test_a_manifest_and_its_data_can_be_moved_and_used_from_anywhere(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_samples(str(folder / "mine"), images=2, forms=("coco",), size=(64, 48))
    written(folder / "mine/m.yaml")
    first = sgt_data.build_corpus("mine/m.yaml", "corpus", cluster=IN_PROCESS)
    assert first.succeeded
    shutil.move("mine", "moved")
    monkeypatch.chdir(folder / "moved")
    again = sgt_data.build_corpus("m.yaml", "../corpus", cluster=IN_PROCESS)
    assert again.complete and again.found_shards == 1 and not again.built_shards
    other = sgt_data.build_corpus(folder / "moved/m.yaml", folder / "other", cluster=IN_PROCESS)
    assert other.succeeded
    tars = [next((folder / name / "panoptic").glob("*.tar")) for name in ("corpus", "other")]
    assert tars[0].read_bytes() == tars[1].read_bytes()


def test_what_a_person_types_lies_in_the_current_folder(folder: Path) -> None:
    file = written(folder / "a/m.yaml")
    (source,) = load_manifest("a/m.yaml", ["sources.coco.pictures=zip/train.zip"]).sources
    assert (source.root, source.pictures) == ("a/coco", "zip/train.zip")
    assert load_manifest(file).sources[0].root == f"{folder}/a/coco"
    assert parse_manifest(MINE).sources[0].root == "coco"


def test_words_and_models_of_the_hub_are_no_paths(folder: Path) -> None:
    source = MINE["sources"][0] | {
        "pictures": "coco_url", "depth": "d", "depth_is": "metric", "depth_unit": 0.001,
        "normals": "n", "intrinsics": "cameras.json",
    }  # fmt: skip
    depth = {"type": "depth_anything", "model": "owner/name"}
    written(folder / "a/m.yaml", sources=[source], annotators=[depth])
    manifest = load_manifest("a/m.yaml")
    assert (manifest.sources[0].pictures, manifest.sources[0].depth) == ("coco_url", "a/d")
    beside = manifest.sources[0].normals, manifest.sources[0].intrinsics
    assert beside == ("a/n", "a/cameras.json")
    assert manifest.annotators[0].model == "owner/name"
    for model in ("./owner/name", "models", "a/b/c"):
        written(folder / "a/m.yaml", annotators=[depth | {"model": model}])
        assert load_manifest("a/m.yaml").annotators[0].model == f"a/{model.removeprefix('./')}"
    (folder / "a/owner/name").mkdir(parents=True)
    written(folder / "a/m.yaml", annotators=[depth])
    assert load_manifest("a/m.yaml").annotators[0].model == "a/owner/name"


def test_each_place_of_a_list_is_moved(folder: Path) -> None:
    tars = ["sa/*.tar", "/data/sa_{0..3}.tar", "../x.tar"]
    written(
        folder / "a/m.yaml",
        sources=[{"type": "sa1b", "tars": tars}],
        proxies=[{"type": "edge"}],
    )
    assert load_manifest("a/m.yaml").sources[0].tars == [
        "a/sa/*.tar", "/data/sa_{0..3}.tar", "x.tar",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "field", "exists"),
    [
        ({"type": "coco", "root": "sa/x", "annotations": ["panoptic"]}, "root", "sa/x"),
        ({"type": "sa1b", "tars": "sa/sa_*.tar"}, "tars", "sa"),
        ({"type": "sa1b", "tars": ["/a.tar", "sa/x_{0..3}.tar"]}, "tars", "sa"),
    ],
)
def test_a_path_that_was_meant_for_the_current_folder_is_named(
    folder: Path, source: dict[str, Any], field: str, exists: str
) -> None:
    written(folder / "a/m.yaml", sources=[source], proxies=[{"type": "edge"}])
    place = source[field][-1] if isinstance(source[field], list) else source[field]
    assert load_manifest("a/m.yaml")  # nothing is anywhere: the build will say so
    (folder / exists).mkdir(parents=True)
    with pytest.raises(ManifestError) as refused:
        load_manifest("a/m.yaml")
    for part in (
        f"sources.0.{field}: found {place!r}",
        f"{folder}/a/{place} is not there; {folder}/{place} is",
        f"Write ../{place} in the manifest, or give --set sources.0.{field}={place}",
    ):
        assert part in str(refused.value)
    assert load_manifest("a/m.yaml", [f"sources.0.{field}=b"])
    (folder / "a" / exists).mkdir(parents=True)
    assert load_manifest("a/m.yaml")


@pytest.mark.parametrize(
    ("source", "tried"),
    [
        ({"type": "coco", "root": "x", "annotations": ["panoptic"]},
         "{folder}/a/x/annotations/panoptic_train2017.json"),
        ({"type": "sa1b", "tars": "x/sa_*.tar"}, "{folder}/a/x/sa_*.tar"),
        ({"type": "sa1b", "tars": "x/sa_{0..1}.tar"}, "{folder}/a/x/sa_0.tar"),
        ({"type": "sa1b", "links": "x.tsv"}, "{folder}/a/x.tsv"),
        ({"type": "sa1b", "pictures": "x/*"}, "{folder}/a/x/*"),
        ({"type": "folder", "pictures": "x"}, "{folder}/a/x"),
        ({"type": "tars", "tars": "x/*.tar"}, "{folder}/a/x/*.tar"),
    ],
)  # fmt: skip
def test_messages_show_the_absolute_path_that_was_tried(
    folder: Path, source: dict[str, Any], tried: str
) -> None:
    written(folder / "a/m.yaml", sources=[source], proxies=[{"type": "edge"}])
    with pytest.raises(SgtDataError) as refused:
        sgt_data.build_corpus("a/m.yaml", "corpus", cluster=IN_PROCESS)
    assert tried.format(folder=folder) in str(refused.value)
