"""Manifests that come with the package: by name, to show, to copy, and fit for what follows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import sgt_data
from sgt_data.cli.app import main
from sgt_data.errors import ManifestError, RequestError
from sgt_data.manifest.manifest import load_manifest
from sgt_data.shipped_manifests import copy_manifest, shipped_manifests, summary

FILES = Path(sgt_data.__file__).parent.parent / "manifests"
NAMES = sorted(file.stem for file in FILES.glob("*.yaml"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sgt(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(map(str, arguments)))
    return int(ended.value.code or 0)


def test_every_file_is_a_manifest_of_its_own_name(folder: Path) -> None:
    assert list(shipped_manifests()) == NAMES and "coco-panoptic" in NAMES
    for name in NAMES:
        assert load_manifest(name).name == name
        assert 10 < len(summary(shipped_manifests()[name])) < 200


@pytest.mark.parametrize("name", NAMES)
def test_comments_name_manifests_by_name_and_show_fields_that_there_are(name: str) -> None:
    text = shipped_manifests()[name]
    assert f"build {name} " in text or f"build_corpus.py {name} " in text
    assert "manifests/" not in text
    for path in re.findall(r"--set \"?([\w.-]+)=", text):
        with pytest.raises(ManifestError, match="must be text") as refused:
            load_manifest(name, [f"{path}={{a: 1}}"])
        assert "no such field" not in str(refused.value)


def test_coco_manifests_name_their_proxies_by_variant() -> None:
    for name in NAMES:
        for proxy in load_manifest(name).proxies:
            if proxy.type == "segmentation":
                assert proxy.name == proxy.variant, name


def test_pictures_that_may_not_be_passed_on_are_stored_apart_from_the_targets() -> None:
    """`push` publishes targets alone only where the pictures lie below `input/`."""
    drawn_by_us = {"demo", "experiment"}
    for name in set(NAMES) - drawn_by_us:
        assert load_manifest(name).inputs == "shared", name


def test_a_corpus_is_built_by_name_from_paths_in_the_current_folder(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    size = ("--width", 64, "--height", 48)
    assert sgt("sample", "demo/sources", "--images", 2, *size) == 0
    (folder / "elsewhere").mkdir()
    assert sgt("build", "demo", "--output", "demo/corpus", "--workers", 0) == 0  # demo is a folder
    corpus = sgt_data.open_corpus("demo/corpus")
    assert corpus.header.manifest["sources"][1]["root"] == "demo/sources/coco"
    settings = ("--set", "sources.coco.root=demo/sources/coco")
    assert sgt("build", "coco-panoptic", "--output", "coco", "--workers", 0, *settings) == 0
    assert sgt_data.open_corpus("coco").proxies == ("panoptic",)


@pytest.mark.parametrize(
    ("manifest", "parts"),
    [
        ("coco-panoptc", ["did you mean coco-panoptic?", "There are: coco-every-proxy, "]),
        ("coco_panoptic", ["did you mean coco-panoptic?"]),
        ("zebra", ["'zebra'", "There are: ", "A file is given with its suffix: zebra.yaml"]),
        ("manifests/demo.yaml", ["{folder}/manifests/demo.yaml", "give demo in place of the file"]),
        ("demo.yaml", ["{folder}/demo.yaml", "`sgt-data init demo` copies it here"]),
        ("mine.yaml", ["there is no manifest", "mine.yaml"]),
    ],
)
def test_a_wrong_name_or_file_is_answered_with_what_there_is(
    folder: Path, manifest: str, parts: list[str]
) -> None:
    with pytest.raises(ManifestError) as refused:
        load_manifest(manifest)
    for part in parts:
        assert part.format(folder=folder) in str(refused.value)


def test_a_file_goes_before_a_shipped_manifest_of_its_name(folder: Path) -> None:
    (folder / "demo").write_text(FILES.joinpath("experiment.yaml").read_text())
    assert load_manifest("demo").name == "experiment"


def test_manifests_shows_all_or_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sgt("manifests") == 0
    shown = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in shown if line[0] != " "] == ["name", *NAMES]
    assert sgt("manifests", "--show", "coco-panoptic") == 0
    shown = capsys.readouterr()
    assert shown.out == FILES.joinpath("coco-panoptic.yaml").read_text()
    assert "next: sgt-data init coco-panoptic" in shown.err
    assert sgt("manifests", "--show", "coco") == 2


def test_init_copies_a_manifest_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sgt("init", "coco-panoptic") == 0
    copy = folder / "coco-panoptic.yaml"
    editor_line, text = copy.read_text().split("\n", 1)
    assert text == FILES.joinpath("coco-panoptic.yaml").read_text().split("\n", 1)[1]
    schema = editor_line.removeprefix("# yaml-language-server: $schema=file://")
    assert "properties" in json.loads(Path(schema).read_text())
    copy.write_text("mine")
    assert sgt("init", "coco-panoptic") == 2
    assert f"{copy} exists already" in capsys.readouterr().err and copy.read_text() == "mine"
    assert sgt("init", "coco-panoptic", "-o", "another.yaml") == 0
    assert load_manifest("another.yaml").name == "coco-panoptic"
    with pytest.raises(RequestError, match="did you mean photos"):
        copy_manifest("foto")
    with pytest.raises(RequestError, match=r"none/a.yaml cannot be written"):
        copy_manifest("photos", Path("none/a.yaml"))


# names that a manifest leaves out


def names_of(kind: str) -> Iterator[tuple[str, str, str]]:
    for name in NAMES:
        for member in getattr(load_manifest(name), kind):
            yield name, member.name, member.type


@pytest.mark.parametrize("kind", ["sources", "annotators", "proxies"])
def test_members_are_addressed_by_the_name_that_they_have(kind: str) -> None:
    for manifest, name, kind_of_member in names_of(kind):
        changed = load_manifest(manifest, [f"{kind}.{name}.type={kind_of_member}"])
        assert changed == load_manifest(manifest), (manifest, name)
        with pytest.raises(ManifestError, match="no such field"):
            load_manifest(manifest, [f"{kind}.{name}.colour=red"])


def test_the_model_of_an_annotator_without_a_name_is_set_as_the_comment_shows() -> None:
    for path in ("annotators.depth-anything", "annotators.depth_anything", "annotators.0"):
        (annotator,) = load_manifest("coco-every-proxy", [f"{path}.model=/models/d"]).annotators
        assert annotator.model == "/models/d"
    with pytest.raises(ManifestError, match="found 'depth'; allowed: depth-anything"):
        load_manifest("coco-every-proxy", ["annotators.depth.model=/models/d"])
