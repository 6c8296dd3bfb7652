"""Boxes: exact geometry whatever the turn, targets that decode back, and damage that is found."""

from __future__ import annotations

import copy
import io
import json
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import (
    UPRIGHT,
    built,
    coco_annotation,
    coco_document,
    coco_image,
    dropped,
    encoded,
    files_in,
    jpeg,
    ledger_in,
    not_shown,
    run_lengths,
    sa1b_members,
    samples_in,
    scene,
    shown,
    spoiled,
    tar_of,
    write_coco,
)
from numpy.typing import NDArray
from PIL import Image
from pycocotools import mask as coco_mask

from sgt_data import decode, verify_corpus
from sgt_data.errors import CorpusError, ManifestError
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.proxies.boxes import BoxesProxy
from sgt_data.segmentation.box_geometry import output_boxes, turned_boxes
from sgt_data.segmentation.box_outlines import draw_outlines


def box_of(mask: NDArray[np.bool_]) -> list[int]:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    left, top = int(columns[0]), int(rows[0])
    return [left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1]


def covering(begin: int, length: int, source: int, output: int) -> tuple[int, int]:
    """First and number of the output pixels that share any ground with source pixels."""
    touched = [
        pixel
        for pixel in range(output)
        if pixel * source < (begin + length) * output and (pixel + 1) * source > begin * output
    ]
    return touched[0], len(touched)


def outlined(boxes: list[list[int]], line: int, height: int, width: int) -> NDArray[np.int64]:
    """Pixel by pixel: the last box whose edge is near."""
    labels = np.zeros((height, width), np.int64)
    for y in range(height):
        for x in range(width):
            for label, (left, top, across, down) in enumerate(boxes, 1):
                inside = left <= x < left + across and top <= y < top + down
                rim = min(x - left, left + across - 1 - x, y - top, top + down - 1 - y)
                if inside and rim < line:
                    labels[y, x] = label
    return labels


@st.composite
def boxes_within(draw: st.DrawFn, height: int, width: int) -> list[int]:
    left, top = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    return [
        left, top, draw(st.integers(1, width - left)), draw(st.integers(1, height - top))
    ]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.data(), st.integers(1, 8))
def test_boxes_turn_and_scale_like_masks(data: st.DataObject, orientation: int) -> None:
    height, width, out_height, out_width = (data.draw(st.integers(1, 24)) for _ in range(4))
    box = data.draw(boxes_within(height, width))
    mask = np.zeros((height, width), np.bool_)
    mask[box[1] : box[1] + box[3], box[0] : box[0] + box[2]] = True
    seen = UPRIGHT[orientation](mask)
    boxes = np.array([box])
    assert turned_boxes(boxes, (height, width), orientation).tolist() == [box_of(seen)]
    left, top, across, down = box_of(seen)
    x, columns = covering(left, across, seen.shape[1], out_width)
    y, rows = covering(top, down, seen.shape[0], out_height)
    out = output_boxes(boxes, (height, width), (out_height, out_width), orientation)
    assert out.tolist() == [[x, y, columns, rows]]


@settings(max_examples=100, deadline=None)
@given(st.data(), st.integers(1, 5))
def test_outlines_are_drawn_like_pixel_by_pixel(data: st.DataObject, line: int) -> None:
    height, width = data.draw(st.integers(1, 16)), data.draw(st.integers(1, 16))
    boxes = data.draw(st.lists(boxes_within(height, width), max_size=6))
    drawn = draw_outlines(np.array(boxes, np.int64).reshape(-1, 4), line, height, width)
    np.testing.assert_array_equal(drawn, outlined(boxes, line, height, width))


def facts_and_targets(root: Path, name: str) -> Iterator[tuple[dict[str, Any], bytes]]:
    for files in samples_in(root, name).values():
        target = files.get("target.png") or files["target.jpg"]
        yield json.loads(files["json"]), target


BOTH_LOOKS = [
    {"type": "boxes"},
    {"type": "boxes", "name": "overlay", "look": "overlay"},
]


@pytest.fixture(scope="module")
def corpus(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("boxes") / "corpus"
    sources = [
        {"type": "sa1b", "tars": f"{sample_sources}/sa1b/sa_*.tar"},
        {
            "type": "coco",
            "root": f"{sample_sources}/coco",
            "annotations": ["instances", "panoptic"],
        },
    ]
    pictures = {"min_side": 64, "max_side": 256, "multiple_of": 8}
    assert built(output, sources, BOTH_LOOKS, pictures=pictures).succeeded
    return output


def test_a_corpus_of_boxes_is_sound(corpus: Path) -> None:
    verdict = verify_corpus(str(corpus), deep=True)
    assert verdict.sound, verdict.findings
    assert verdict.samples == 2 * 24


def test_targets_decode_to_the_outlines_of_the_annotated_masks(
    corpus: Path, sample_sources: Path
) -> None:
    document = json.loads(
        (sample_sources / "coco/annotations/instances_train2017.json").read_text()
    )
    sizes = {image["id"]: (image["height"], image["width"]) for image in document["images"]}
    boxes_by_id = {}
    for annotation in document["annotations"]:
        coded = annotation["segmentation"]
        if isinstance(coded, list):
            coded = coco_mask.merge(coco_mask.frPyObjects(coded, *sizes[annotation["image_id"]]))
        elif isinstance(coded["counts"], list):
            coded = coco_mask.frPyObjects(coded, *sizes[annotation["image_id"]])
        boxes_by_id[annotation["id"]] = box_of(coco_mask.decode(coded).astype(bool))
    checked = 0
    for name in ("boxes", "overlay"):
        for facts, target in facts_and_targets(corpus, name):
            size = facts["size"]["height"], facts["size"]["width"]
            boxes = [segment["output_box"] for segment in shown(facts)]
            expected = draw_outlines(np.array(boxes), facts["line"], *size)
            decoded = decode(target, facts)
            np.testing.assert_array_equal(decoded.labels, expected)
            assert len({tuple(segment["color"]) for segment in shown(facts)}) == len(boxes)
            assert facts["line"] == max(2, round(min(size) / 200))
            sides = [segment["box"][2] * segment["box"][3] for segment in shown(facts)]
            assert sides == sorted(sides, reverse=True)
            if facts["source"]["name"] == "coco":
                for segment in shown(facts):
                    assert segment["box"] == boxes_by_id[segment["id"]]
                    checked += 1
    assert checked > 50


def test_a_black_target_shows_its_outlines_and_nothing_else(corpus: Path) -> None:
    for facts, target in facts_and_targets(corpus, "boxes"):
        pixels = np.asarray(Image.open(io.BytesIO(target)).convert("RGB"))
        colours = {(0, 0, 0), *(tuple(segment["color"]) for segment in shown(facts))}
        assert {
            tuple(colour) for colour in np.unique(pixels.reshape(-1, 3), axis=0).tolist()
        } == colours


def test_an_overlay_keeps_the_picture_between_the_outlines(corpus: Path) -> None:
    for key, files in samples_in(corpus, "overlay").items():
        facts = json.loads(files["json"])
        labels = decode(files["target.jpg"], facts).labels
        target, picture = (
            np.asarray(Image.open(io.BytesIO(files[name]))).astype(np.int64)
            for name in ("target.jpg", "input.jpg")
        )
        away = labels == 0
        assert np.abs(target - picture)[away].mean() < 6, key
        with Image.open(io.BytesIO(files["target.jpg"])) as image:
            assert image.format == "JPEG"
            assert {component[1:3] for component in image.layer} == {(1, 1)}, "colour is subsampled"  # type: ignore[attr-defined]


def rectangle(left: int, top: int, right: int, bottom: int) -> NDArray[np.bool_]:
    mask = np.zeros((48, 64), np.bool_)
    mask[top:bottom, left:right] = True
    return mask


def one_picture(root: Path, annotations: list[Any], orientation: int = 1) -> dict[str, Any]:
    """A COCO source of one picture of 64x48 stored pixels."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = encoded(Image.fromarray(scene(64, 48)), exif=exif)
    documents = {"instances": coco_document([coco_image(1)], annotations)}
    write_coco(root, {"000000000001.jpg": picture}, documents)
    return {"type": "coco", "root": str(root), "annotations": ["instances"]}


def facts_of(output: Path, name: str = "boxes") -> dict[str, Any]:
    ((facts, target),) = facts_and_targets(output, name)
    assert BoxesProxy.contradictions(target, facts) == []
    return facts


@pytest.mark.parametrize("orientation", range(1, 9))
def test_boxes_lie_where_one_sees_the_thing(orientation: int, tmp_path: Path) -> None:
    mask = rectangle(3, 5, 20, 13)
    source = one_picture(tmp_path / "in", [coco_annotation(7, 1, run_lengths(mask))], orientation)
    built(tmp_path / "out", source, [{"type": "boxes"}])
    facts = facts_of(tmp_path / "out")
    seen = UPRIGHT[orientation](mask)
    assert facts["source"]["orientation"] == orientation
    assert (facts["size"]["height"], facts["size"]["width"]) == seen.shape
    assert shown(facts)[0]["box"] == box_of(mask)
    assert shown(facts)[0]["output_box"] == box_of(seen)


def test_larger_boxes_lie_below_and_of_equals_the_smaller_id(tmp_path: Path) -> None:
    masks = {9: (0, 0, 20, 20), 4: (5, 5, 25, 25), 6: (2, 2, 40, 40), 2: (10, 10, 15, 15)}
    annotations = [
        coco_annotation(number, 1, run_lengths(rectangle(*box))) for number, box in masks.items()
    ]
    built(tmp_path / "out", one_picture(tmp_path / "in", annotations), [{"type": "boxes"}])
    facts = facts_of(tmp_path / "out")
    assert [segment["id"] for segment in shown(facts)] == [6, 4, 9, 2]
    assert [segment["label"] for segment in shown(facts)] == [1, 2, 3, 4]


def test_a_box_that_is_painted_over_is_reported_as_hidden(tmp_path: Path) -> None:
    """One below its equal; and one whose mask is empty."""
    annotations = [
        coco_annotation(3, 1, run_lengths(rectangle(4, 4, 30, 30))),
        coco_annotation(5, 1, run_lengths(rectangle(4, 4, 30, 30))),
        coco_annotation(6, 1, run_lengths(rectangle(0, 0, 0, 0))),
        coco_annotation(8, 1, run_lengths(rectangle(10, 10, 12, 12))),
    ]
    source = one_picture(tmp_path / "in", annotations)
    built(tmp_path / "out", source, [{"type": "boxes"}])
    facts = facts_of(tmp_path / "out")
    assert [(segment["label"], segment["id"]) for segment in shown(facts)] == [(1, 5), (2, 8)]
    assert [segment["id"] for segment in not_shown(facts)] == [3, 6]
    assert verify_corpus(str(tmp_path / "out"), deep=True).sound


@pytest.mark.parametrize("crowds", ["keep", "drop", "reject"])
def test_crowds_follow_the_policy(crowds: str, tmp_path: Path) -> None:
    annotations = [
        coco_annotation(3, 1, run_lengths(rectangle(4, 4, 30, 30))),
        coco_annotation(5, 1, run_lengths(rectangle(20, 9, 50, 40)), iscrowd=1),
    ]
    proxy = {"type": "boxes", "filters": {"crowds": crowds}}
    built(tmp_path / "out", one_picture(tmp_path / "in", annotations), [proxy])
    if crowds == "reject":
        (row,) = ledger_in(tmp_path / "out", "boxes")
        assert row["kind"] == "filtered" and "crowds is reject" in row["reason"]
        return
    facts = facts_of(tmp_path / "out")
    assert sorted(segment["id"] for segment in shown(facts)) == (
        [3, 5] if crowds == "keep" else [3]
    )
    assert dropped(facts) == ({} if crowds == "keep" else {"crowds": 1})


def test_filters_choose_and_leave_out(tmp_path: Path) -> None:
    annotations = [
        coco_annotation(number, 1, run_lengths(rectangle(2 * number, 4, 30 + number, 40 - number)))
        for number in range(1, 5)
    ]
    source = one_picture(tmp_path / "in", annotations)
    largest = {"type": "boxes", "line": 1, "filters": {"max_segments": 2}}
    many = {"type": "boxes", "name": "many", "filters": {"min_segments": 5}}
    built(tmp_path / "out", source, [largest, many])
    facts = facts_of(tmp_path / "out")
    assert [segment["id"] for segment in shown(facts)] == [1, 2]
    assert (dropped(facts), facts["line"]) == ({"max_segments": 2}, 1)
    (row,) = ledger_in(tmp_path / "out", "many")
    assert "4 visible segments, min_segments is 5" in row["reason"]


def test_panoptic_alone_gives_boxes_of_its_things(sample_sources: Path, tmp_path: Path) -> None:
    source = {"type": "coco", "root": f"{sample_sources}/coco", "annotations": ["panoptic"]}
    built(tmp_path, source, [{"type": "boxes"}])
    seen = [
        segment for facts, _ in facts_and_targets(tmp_path, "boxes") for segment in shown(facts)
    ]
    assert seen and all(segment["isthing"] for segment in seen)


def test_what_cannot_be_drawn_is_refused_beforehand(tmp_path: Path) -> None:
    (tmp_path / "sa_000000.tar").write_bytes(tar_of(sa1b_members(2)))
    document = {
        "name": "a",
        "sources": [{"type": "sa1b", "tars": f"{tmp_path}/*.tar"}],
    }
    for wrong in ({"line": 0}, {"palette": "category"}, {"look": "white"}):
        with pytest.raises(ManifestError):
            parse_manifest(document | {"proxies": [{"type": "boxes"} | wrong]})


def test_two_builds_have_the_same_bytes(sample_sources: Path, tmp_path: Path) -> None:
    source = {"type": "sa1b", "tars": f"{sample_sources}/sa1b/sa_*.tar"}
    for name in ("a", "b"):
        built(tmp_path / name, source, BOTH_LOOKS)
    first, second = files_in(tmp_path / "a"), files_in(tmp_path / "b")
    tars = [name for name in first if name.endswith(".tar")]
    assert tars and all(first[name] == second[name] for name in tars)


@pytest.mark.parametrize("name", ["boxes", "overlay"])
@pytest.mark.parametrize("field", ["output_box", "box"])
def test_a_changed_box_is_found(name: str, field: str, corpus: Path) -> None:
    rng = np.random.default_rng(4)
    for facts, target in facts_and_targets(corpus, name):
        assert BoxesProxy.contradictions(target, facts) == []
        changed = copy.deepcopy(facts)
        segments = changed["segments"]
        box = segments[int(rng.integers(len(segments)))][field]
        place = int(rng.integers(4))
        step = 1 if field == "output_box" else 3  # source pixels are finer than the output's
        box[place] += -step if place > 1 and box[place] > 8 else step
        try:
            assert BoxesProxy.contradictions(target, changed)
        except CorpusError as why:
            assert "leaves the picture" in str(why)


@pytest.mark.parametrize("name", ["boxes", "overlay"])
def test_a_box_moved_with_its_source_box_is_found(name: str, corpus: Path) -> None:
    """Facts that agree with one another, yet not with the target."""
    for facts, target in facts_and_targets(corpus, name):
        changed = copy.deepcopy(facts)
        segment = changed["segments"][0]
        source, size = changed["source"]["size"], changed["size"]
        segment["box"] = [0, 0, source["width"] // 3, source["height"] // 3]
        stored, output = (source["height"], source["width"]), (size["height"], size["width"])
        (moved,) = output_boxes(np.array([segment["box"]]), stored, output, 1).tolist()
        if facts["source"]["orientation"] == 1 and moved != segment["output_box"]:
            segment["output_box"] = moved
            assert BoxesProxy.contradictions(target, changed)


@pytest.mark.parametrize("name", ["boxes", "overlay"])
def test_swapped_targets_are_found(name: str, corpus: Path) -> None:
    samples = list(facts_and_targets(corpus, name))
    for (facts, _), (_, target) in pairwise(samples):
        try:
            assert BoxesProxy.contradictions(target, facts)
        except CorpusError:
            continue


def test_verification_names_a_changed_box(corpus: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(corpus, tmp_path / "corpus"))
    tar = min((root / "boxes").glob("*.tar"))
    data = tar.read_bytes()
    place = data.index(b'"output_box":[') + len(b'"output_box":[')
    digit = data[place : place + 1]
    tar.write_bytes(data[:place] + (b"1" if digit != b"1" else b"2") + data[place + 1 :])
    findings = [str(finding) for finding in verify_corpus(str(root), deep=True).findings]
    assert any(
        "output_box" in finding or "leaves the picture" in finding for finding in findings
    ), findings


@pytest.mark.parametrize("name", ["boxes", "overlay"])
def test_spoiled_facts_are_refused_or_found_and_never_crash(name: str, corpus: Path) -> None:
    rng = np.random.default_rng(11)
    samples = list(facts_and_targets(corpus, name))
    for number in range(300):
        facts, target = samples[number % len(samples)]
        for check in (BoxesProxy.contradictions, BoxesProxy.decode):
            try:
                check(target, spoiled(rng, facts))
            except CorpusError:
                continue
    facts, _ = samples[0]
    for damaged in (b"", b"no picture", jpeg(16, 16), samples[0][1][:99]):
        with pytest.raises(CorpusError):
            BoxesProxy.contradictions(damaged, facts)


def test_real_pictures_make_sound_boxes(real_data: Path, tmp_path: Path) -> None:
    sources = [
        {"type": "sa1b", "tars": f"{real_data}/sa1b/*.tar"},
        {"type": "coco", "root": f"{real_data}/coco", "annotations": ["instances"]},
    ]
    pictures = {"min_side": 64, "max_side": 320, "multiple_of": 8}
    report = built(tmp_path, sources, BOTH_LOOKS, pictures=pictures, shard_samples=64)
    assert report.totals["boxes"]["samples"] == 130
    verdict = verify_corpus(str(tmp_path), deep=True)
    assert verdict.sound, verdict.findings
