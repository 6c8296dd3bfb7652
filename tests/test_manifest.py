"""Manifests: every wrong field is named at once, nothing is executed, a corpus is one build."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from making import SMALL, built, files_in, manifest_of, proxy_of, sa1b_members, tar_of

from sgt_data.errors import CorpusMismatch, ManifestError
from sgt_data.manifest.manifest import load_manifest, parse_manifest

GOOD: dict[str, Any] = {
    "version": 1,
    "name": "demo",
    "seed": 3,
    "shard_samples": 16,
    "sources": [
        {"type": "sa1b", "name": "sa", "tars": "/data/sa_*.tar"},
        {"type": "coco", "root": "/data/coco", "annotations": ["panoptic"]},
    ],
    "proxies": [
        {"type": "segmentation", "name": "entities", "variant": "entity"},
        {"type": "segmentation", "name": "kinds", "variant": "semantic", "sources": ["coco"]},
    ],
}


def changed(change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    fields = copy.deepcopy(GOOD)
    change(fields)
    return fields


def complaint(fields: Any) -> str:
    with pytest.raises(ManifestError) as caught:
        parse_manifest(fields, "a.yaml")
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_a_good_manifest_is_read_with_its_defaults_written_out() -> None:
    manifest = parse_manifest(GOOD)
    resolved = manifest.resolved()
    assert resolved["pictures"]["max_side"] == 1024
    assert resolved["sources"][1]["split"] == "train2017"
    assert parse_manifest(resolved).resolved() == resolved


WRONG: dict[str, tuple[Callable[[dict[str, Any]], Any], list[str]]] = {
    "no name": (lambda m: m.pop("name"), ["name: must be given"]),
    "bad name": (lambda m: m.update(name="../up"), ["name:", "'../up'"]),
    "empty name": (lambda m: m.update(name=""), ["name:", "''"]),
    "version": (lambda m: m.update(version=2), ["version:", "1", "found 2"]),
    "seed": (lambda m: m.update(seed=-1), ["seed: found -1; must be 0 or more"]),
    "giant seed": (lambda m: m.update(seed=2**63), ["seed:", "less than"]),
    "seed a word": (lambda m: m.update(seed="x"), ["seed: found 'x'; must be a whole number"]),
    "shard size": (lambda m: m.update(shard_samples=0), ["shard_samples:", "1", "found 0"]),
    "share": (lambda m: m.update(max_quarantined=1.5), ["max_quarantined:", "1", "found 1.5"]),
    "unknown field": (lambda m: m.update(sede=3), ["sede: no such field (found 3)"]),
    "no sources": (lambda m: m.update(sources=[]), ["sources:", "1 or more"]),
    "sources a word": (lambda m: m.update(sources="sa1b"), ["sources:", "'sa1b'"]),
    "source a word": (
        lambda m: m["sources"].append("sa1b"), ["sources.2: found 'sa1b'", "such as {type: sa1b}"]
    ),
    "proxy a word": (
        lambda m: m["proxies"].append("flatten"), [": found 'flatten'", "such as {type: TYPE}"]
    ),
    "own type": (lambda m: m["proxies"][0].update(type="flatten"), ["`plugins: [FILE.py]` names"]),
    "source kind": (
        lambda m: m["sources"][0].update(type="sa2b"), ["sources.0.type", "'sa2b'", "sa1b", "coco"]
    ),
    "no source kind": (lambda m: m["sources"][0].pop("type"), ["sources.0.type", "allowed"]),
    "source field": (
        lambda m: m["sources"][0].update(tarz="x"), ["sources.0.tarz: no such field"]
    ),
    "no tars": (lambda m: m["sources"][0].pop("tars"), ["sources.0", "tars", "links"]),
    "tars and links": (lambda m: m["sources"][0].update(links="x"), ["sources.0", "either"]),
    "annotations": (
        lambda m: m["sources"][1].update(annotations=["masks"]),
        ["sources.1.annotations.0", "allowed: instances, panoptic", "'masks'"],
    ),
    "source name": (lambda m: m["sources"][0].update(name="S A"), ["sources.0.name", "'S A'"]),
    "source name with a line end": (
        lambda m: m["sources"][0].update(name="sa\n"), ["sources.0.name", "'sa\\n'"]
    ),
    "proxy name that leads out": (
        lambda m: m["proxies"][0].update(name="../../etc"), ["proxies.0.name", "'../../etc'"]
    ),
    "proxy name empty": (lambda m: m["proxies"][0].update(name=""), ["proxies.0.name", "''"]),
    "one source name twice": (
        lambda m: m["sources"][1].update(name="sa"), ["sources.1.name: 'sa' is taken"]
    ),
    "proxy kind": (
        lambda m: m["proxies"][0].update(type="depht"),
        ["proxies.0.type", "'depht'", "segmentation"],
    ),
    "variant": (
        lambda m: m["proxies"][0].update(variant="stuff"),
        ["proxies.0.variant", "allowed: entity", "'stuff'"],
    ),
    "palette": (
        lambda m: m["proxies"][0].update(palette="viridis"),
        ["proxies.0.palette", "tab20", "'viridis'"],
    ),
    "filters": (
        lambda m: m["proxies"][0].update(filters={"min_area": 2}),
        ["proxies.0.filters.min_area", "found 2"],
    ),
    "unknown filter": (
        lambda m: m["proxies"][0].update(filters={"minarea": 0}),
        ["proxies.0.filters.minarea: no such field"],
    ),
    "semantic palette": (lambda m: m["proxies"][1].update(palette="tab20"), ["proxies.1", "tab20"]),
    "entity palette": (lambda m: m["proxies"][0].update(palette="category"), ["proxies.0"]),
    "one proxy name twice": (
        lambda m: m["proxies"][1].update(name="entities"), ["proxies.1.name: 'entities' is taken"]
    ),
    "proxy's source": (
        lambda m: m["proxies"][1].update(sources=["cocoa"]),
        ["proxies.1.sources", "'cocoa'", "coco, sa"],
    ),
    "unmet need": (
        lambda m: m["proxies"][1].update(sources=["sa"]),
        ["proxies.1 (kinds)", "source sa", "needs"],
    ),
    "sides": (
        lambda m: m.update(pictures={"min_side": 600, "max_side": 500}), ["pictures", "600", "500"]
    ),
    "quality": (
        lambda m: m.update(pictures={"jpeg_quality": 101}),
        ["pictures.jpeg_quality", "100", "found 101"],
    ),
    "subsampling": (
        lambda m: m.update(pictures={"jpeg_subsampling": "4:1:1"}),
        ["pictures.jpeg_subsampling", "allowed: 4:4:4, 4:2:2, 4:2:0", "'4:1:1'"],
    ),
    "max_pixels": (lambda m: m.update(pictures={"max_pixels": 10**12}), ["pictures.max_pixels"]),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_field_is_named_with_what_was_found_and_is_allowed(name: str) -> None:
    change, parts = WRONG[name]
    said = complaint(changed(change))
    assert said.startswith("a.yaml")
    for part in parts:
        assert part in said, said


def test_every_wrong_field_is_named_at_once() -> None:
    def spoil(fields: dict[str, Any]) -> None:
        fields.update(seed=-1, sede=3)
        fields["sources"][0]["tarz"] = 1
        fields["sources"][1]["type"] = "cocoa"
        fields["proxies"][0]["variant"] = "all"
        fields["pictures"] = {"jpeg_quality": 0}

    said = complaint(changed(spoil))
    for path in (
        "seed:", "sede:", "sources.0.tarz:", "sources.1.type", "proxies.0.variant:",
        "pictures.jpeg_quality:",
    ):  # fmt: skip
        assert path in said, said


@pytest.mark.parametrize("text", ["- a\n- b\n", "just words", "", "5", "null"])
def test_what_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    place = tmp_path / "a.yaml"
    place.write_text(text)
    with pytest.raises(ManifestError, match="a manifest is a mapping"):
        load_manifest(str(place))


@pytest.mark.parametrize(
    "text", ["name: [", "a: b: c", "\t- x", "name: \x00", "&a *a", "name: 'x\nseed: 1"]
)
def test_what_is_no_yaml_is_refused(tmp_path: Path, text: str) -> None:
    place = tmp_path / "a.yaml"
    place.write_text(text)
    with pytest.raises(ManifestError, match=r"is not YAML|cannot be used|is a mapping"):
        load_manifest(str(place))


@pytest.mark.parametrize(
    "tag",
    [
        "!!python/object/apply:os.system ['touch {}']",
        "!!python/object/new:os.system ['touch {}']",
        "!!python/object:os.system {{}}",
        "!!python/name:os.system",
        "!!python/module:os",
        "!local {}",
    ],
)
def test_no_yaml_tag_is_executed(tmp_path: Path, tag: str) -> None:
    trace = tmp_path / "executed"
    place = tmp_path / "a.yaml"
    place.write_text(f"name: {tag.format(trace)}\n")
    with pytest.raises(ManifestError, match="tags are not allowed"):
        load_manifest(str(place))
    place.write_text(yaml.safe_dump(GOOD))
    with pytest.raises(ManifestError, match="must fit the pattern"):  # there it is text
        load_manifest(str(place), [f"name={tag.format(trace)}"])
    with pytest.raises(ManifestError, match="tags are not allowed"):
        load_manifest(str(place), [f"name=[{tag.format(trace)} ]"])
    assert not trace.exists()


# --set


def overridden(tmp_path: Path, *overrides: str) -> dict[str, Any]:
    place = tmp_path / "a.yaml"
    place.write_text(yaml.safe_dump(GOOD))
    return load_manifest(str(place), overrides).resolved()


def test_set_overrides_by_path_number_and_name(tmp_path: Path) -> None:
    manifest = overridden(
        tmp_path,
        "seed=9",
        "pictures.max_side=768",
        "sources.0.licence=mine",
        "sources.coco.split=val2017",
        "proxies.entities.palette=tab20",
        "proxies.kinds.filters.min_area=0.01",
        "proxies.1.filters.crowds=drop",
    )
    assert manifest["seed"] == 9
    assert manifest["pictures"]["max_side"] == 768
    assert manifest["sources"][0]["licence"] == "mine"
    assert manifest["sources"][1]["split"] == "val2017"
    assert manifest["proxies"][0]["palette"] == "tab20"
    assert manifest["proxies"][1]["filters"]["min_area"] == 0.01
    assert manifest["proxies"][1]["filters"]["crowds"] == "drop"


def test_set_takes_yaml_values(tmp_path: Path) -> None:
    manifest = overridden(
        tmp_path, "seed=2", "seed=2", "sources.coco.annotations=[panoptic, instances]",
        "sources.sa.tars=/a=b.tar", "proxies.kinds.sources=null",
        "proxies.kinds.variant=entity", "proxies.kinds.palette=",
    )  # fmt: skip
    assert manifest["seed"] == 2
    assert manifest["sources"][1]["annotations"] == ["panoptic", "instances"]
    assert manifest["sources"][0]["tars"] == "/a=b.tar"
    assert manifest["proxies"][1]["sources"] is None


@pytest.mark.parametrize(
    ("override", "parts"),
    [
        ("seed", ["field.path=value"]),
        ("=5", ["field.path=value"]),
        ("", ["field.path=value"]),
        ("sources.7.name=x", ["found '7'", "allowed: sa, coco"]),
        ("sources.flickr.name=x", ["found 'flickr'", "allowed: sa, coco"]),
        ("sources.2={}", ["found '2'", "allowed"]),
        ("name.first=x", ["name", "no fields"]),
        ("sources.0.tars.x=1", ["tars", "no fields"]),
        ("seed=[", ["not YAML"]),
        ("sede=5", ["sede: no such field (found 5)"]),
        ("pictures.sise=5", ["pictures.sise: no such field"]),
        ("a..b=5", ["field.path=value"]),
    ],
)
def test_a_wrong_override_is_named(tmp_path: Path, override: str, parts: list[str]) -> None:
    with pytest.raises(ManifestError) as caught:
        overridden(tmp_path, override)
    for part in parts:
        assert part in str(caught.value), str(caught.value)


# one build


def test_places_are_no_part_of_the_identity() -> None:
    moved = changed(
        lambda m: (m["sources"][0].update(tars=["/b/sa_0.tar"]), m["sources"][1].update(root="/c"))
    )
    moved["sources"][1] |= {"pictures": "/d.zip", "panoptic": "/e.json", "panoptic_maps": "/f.zip"}
    moved["max_quarantined"] = 0.5
    assert parse_manifest(moved).identity() == parse_manifest(GOOD).identity()
    assert "/data" not in str(parse_manifest(GOOD).identity())


@pytest.fixture
def tar(tmp_path: Path) -> Path:
    place = tmp_path / "sa_0.tar"
    place.write_bytes(tar_of(sa1b_members(5)))
    return place


def source_of(place: Path) -> dict[str, Any]:
    return {"type": "sa1b", "tars": str(place)}


DIFFERENT: dict[str, tuple[dict[str, Any], str]] = {
    "seed": ({"seed": 4}, "seed: in the corpus 3, now 4"),
    "name": ({"name": "other"}, "name: in the corpus 'made', now 'other'"),
    "shard size": ({"shard_samples": 3}, "shard_samples: in the corpus 4, now 3"),
    "picture": ({"pictures": SMALL | {"jpeg_quality": 90}}, "pictures.jpeg_quality"),
    "size": ({"pictures": SMALL | {"max_side": 80}}, "pictures.max_side: in the corpus 96, now 80"),
    "proxy": (
        {"proxies": [proxy_of("entity", palette="tab20")]},
        "proxies.entity.palette: in the corpus None, now 'tab20'",
    ),
    "filter": (
        {"proxies": [proxy_of("entity", filters={"min_area": 0.5})]},
        "proxies.entity.filters.min_area",
    ),
    "proxy gone": ({"proxies": [proxy_of("entity", name="b")]}, "proxies.entity"),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_a_changed_field_refuses_to_continue_and_is_named(
    tmp_path: Path, tar: Path, name: str
) -> None:
    built(tmp_path / "out", source_of(tar))
    before = files_in(tmp_path / "out")
    fields, said = DIFFERENT[name]
    with pytest.raises(CorpusMismatch) as caught:
        built(tmp_path / "out", source_of(tar), **fields)
    assert said in str(caught.value)
    assert caught.value.exit_code == 2
    assert files_in(tmp_path / "out") == before


def test_a_changed_source_refuses_to_continue_and_is_named(tmp_path: Path, tar: Path) -> None:
    built(tmp_path / "out", source_of(tar))
    before = files_in(tmp_path / "out")
    with pytest.raises(CorpusMismatch, match=r"sources\.sa1b\.licence"):
        built(tmp_path / "out", source_of(tar) | {"licence": "mine"})
    (tmp_path / "sa_1.tar").write_bytes(tar_of(sa1b_members(2)))
    with pytest.raises(CorpusMismatch, match=r"files\.sa1b\.sa_1\.tar: not in the corpus"):
        built(tmp_path / "out", source_of(tmp_path / "sa_*.tar"))
    tar.write_bytes(tar_of(sa1b_members(4)))
    with pytest.raises(CorpusMismatch, match=r"files\.sa1b\.sa_0\.tar"):
        built(tmp_path / "out", source_of(tar))
    assert files_in(tmp_path / "out") == before


def test_inputs_may_move_between_two_runs(tmp_path: Path, tar: Path) -> None:
    built(tmp_path / "out", source_of(tar))
    before = files_in(tmp_path / "out")
    moved = tmp_path / "elsewhere" / "sa_0.tar"
    moved.parent.mkdir()
    tar.rename(moved)
    report = built(tmp_path / "out", source_of(moved))
    assert report.complete
    assert report.built_shards == 0
    after = files_in(tmp_path / "out")
    assert {name for name in before if after[name] != before[name]} <= {"corpus.json"}


def test_a_proxy_may_be_added_and_changes_no_file(tmp_path: Path, tar: Path) -> None:
    first, second = proxy_of("entity"), proxy_of("entity", name="twenty", palette="tab20")
    built(tmp_path / "out", source_of(tar), [first])
    before = files_in(tmp_path / "out")
    report = built(tmp_path / "out", source_of(tar), [first, second])
    assert report.complete
    after = files_in(tmp_path / "out")
    assert {name for name in before if after[name] != before[name]} == {"corpus.json", "README.md"}
    assert {name.split("/")[0] for name in after.keys() - before.keys()} == {
        "twenty", "index", "quarantine", "receipts"
    }  # fmt: skip
    built(tmp_path / "once", source_of(tar), [first, second])
    assert files_in(tmp_path / "once") == after


def test_a_manifest_made_here_is_itself_a_manifest(tar: Path) -> None:
    resolved = manifest_of(source_of(tar)).resolved()
    assert parse_manifest(resolved).resolved() == resolved
