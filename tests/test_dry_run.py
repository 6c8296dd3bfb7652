"""A dry run notices what would make the whole build useless, before anything is written."""

from __future__ import annotations

import json
import re
import shutil
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
import yaml
from making import (
    coco_annotation,
    coco_document,
    coco_image,
    jpeg,
    sa1b_members,
    tar_of,
    write_coco,
)

from sgt_data.annotators import device
from sgt_data.cli.app import main


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A COCO folder of nine pictures, a folder of pictures, extracted SA-1B, and a tar of it."""
    root = tmp_path_factory.mktemp("dry")
    numbers = range(1, 10)
    square = [[4, 4, 30, 4, 30, 30, 4, 30]]
    document = coco_document(
        [coco_image(number) for number in numbers],
        [coco_annotation(number, number, square) for number in numbers],
    )
    pictures = {f"{number:012d}.jpg": jpeg(64, 48, number) for number in numbers}
    write_coco(root / "coco", pictures, {"instances": document})
    (root / "wrong").mkdir()
    (root / "wrong" / "other.jpg").write_bytes(jpeg(64, 48))
    (root / "tars").mkdir()
    (root / "tars" / "sa_000000.tar").write_bytes(tar_of(sa1b_members(5)))
    (root / "sa1b").mkdir()
    for name, body in sa1b_members(5):
        (root / "sa1b" / name).write_bytes(body)
    return root


SOURCES = {
    "coco": "{type: coco, root: ROOT/coco, annotations: [instances]}",
    "folder": "{type: folder, pictures: ROOT/coco/train2017}",
    "sa1b": "{type: sa1b, pictures: ROOT/sa1b}",
    "tars": "{type: sa1b, name: tars, tars: ROOT/tars/*.tar}",
}


def dry_run(root: Path, folder: Path, source: str, *more: str) -> int:
    manifest = folder / "m.yaml"
    text = SOURCES[source].replace("ROOT", str(root))
    manifest.write_text(f"name: dry\nsources: [{text}]\nproxies: [{{type: edge}}]\n")
    with pytest.raises(SystemExit) as ended:
        main(["build", str(manifest), "--output", f"{folder}/corpus", "--dry-run", *more])
    assert not (folder / "corpus").exists()
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.mark.parametrize(
    ("source", "looked"), [("coco", "4 of 9"), ("folder", "4 of 9"), ("sa1b", "4 of 5"),
                           ("tars", "4 of 5")],
)  # fmt: skip
def test_a_dry_run_looks_at_pictures_and_says_how_many(
    source: str, looked: str, sources: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dry_run(sources, tmp_path, source) == 0
    assert f"note: {source}: looked at {looked} pictures, which can be read" in (
        capsys.readouterr().err
    )


def test_a_dry_run_refuses_a_folder_that_has_none_of_the_pictures(
    sources: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = f"sources.coco.pictures={sources}/wrong"
    assert dry_run(sources, tmp_path, "coco", "--set", wrong) == 2
    said = capsys.readouterr().err
    assert "none of the 4 pictures that were looked at can be read" in said
    assert "there is no file 000000000001.jpg in wrong" in said
    assert "sources.coco.pictures" in said


def test_a_dry_run_counts_the_pictures_that_are_missing(
    sources: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    some = tmp_path / "some"
    some.mkdir()
    for number in range(3, 10):
        (some / f"{number:012d}.jpg").write_bytes(jpeg(64, 48, number))
    place = ("--set", f"sources.coco.pictures={some}")
    assert dry_run(sources, tmp_path, "coco", *place, "--max-quarantined", "0.3") == 0
    told = capsys.readouterr().err
    assert "looked at 4 of 9 pictures; 2 cannot be read: there is no file 000000000001.jpg" in told
    assert "next: sgt-data build" in told
    assert dry_run(sources, tmp_path, "coco", *place) == 1
    told = capsys.readouterr().err
    assert "edge: 2 of 9 pictures cannot be read (22.2%), max_quarantined allows 5.0%" in told
    assert "next: " not in told


def test_a_dry_run_judges_by_what_it_looked_at_where_the_listing_knows_no_loss(
    sources: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    some = tmp_path / "some"
    shutil.copytree(sources / "coco" / "train2017", some)
    (some / "000000000001.jpg").write_bytes(b"no picture")
    place = ("--set", f"sources.folder.pictures={some}")
    assert dry_run(sources, tmp_path, "folder", *place) == 1
    assert "edge: 1 of 4 pictures that were looked at cannot be read (25.0%), max_quarantined" in (
        capsys.readouterr().err
    )


def test_a_dry_run_names_the_extra_that_an_annotator_lacks(
    sources: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def version(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(device, "version", version)
    with pytest.raises(SystemExit) as ended:
        main(["build", "photos", "--output", f"{tmp_path}/corpus", "--dry-run",
              "--set", f"sources.photos.pictures={sources}/coco/train2017"])  # fmt: skip
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "annotators.sam: the package torch is not installed" in said
    assert "pip install 'sgt-data[annotate]'" in said


def test_the_list_of_manifests_says_which_need_an_extra(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["manifests", "--json"])
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["manifests"]}
    needing = {name for name, row in rows.items() if row["extras"]}
    manifests = Path(__file__).parent.parent / "manifests"
    with_annotators = {
        file.stem
        for file in manifests.glob("*.yaml")
        if yaml.safe_load(file.read_text("utf-8")).get("annotators")
    }
    assert needing == with_annotators
    assert all(rows[name]["extras"] == ["annotate"] for name in needing)


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_the_command_that_draws_the_sources_of_a_shipped_manifest_is_named(
    more: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["build", "demo", "--output", "corpus", *more])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "there is no folder" in said
    assert said.rstrip().endswith("sgt-data sample demo/sources --images 32")


@pytest.mark.parametrize(
    ("source", "field"), [("coco", "root"), ("coco", "pictures"), ("folder", "pictures"),
                          ("sa1b", "pictures"), ("tars", "tars")],
)  # fmt: skip
def test_a_place_that_does_not_exist_is_named_with_its_field(
    source: str, field: str, sources: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    value = "/nowhere/x.tar" if field == "tars" else "/nowhere"
    assert dry_run(sources, tmp_path, source, "--set", f"sources.{source}.{field}={value}") == 2
    said = capsys.readouterr().err
    assert re.search(r"there is no folder /nowhere|there is no such folder|/nowhere/x.tar", said)
    assert f"sources.{source}.{field}" in said or "sources.tars.FIELD" in said
