"""Captions of a corpus: every caption written or counted, the picture in the answer."""

from __future__ import annotations

import gzip
import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from sgt_data import (
    IN_PROCESS,
    CaptionPlan,
    CaptionsReport,
    build_corpus,
    decode,
    open_corpus,
    subset,
    write_captions,
    write_questions,
)
from sgt_data.cli.app import app
from sgt_data.errors import CorpusMismatch, InputError, RequestError
from sgt_data.facts import UNIFORM_TYPES
from sgt_data.manifest.manifest import load_manifest
from sgt_data.proxies.registry import proxy_kinds
from sgt_data.questions.caption_tasks import OTHER_TASK
from sgt_data.questions.drawn_as import CLEAN_INPUTS
from sgt_data.questions.match_captions import NO_PICTURE, NO_SPLIT, PICTURE_LEFT_OUT
from sgt_data.questions.question_plan import QuestionPlan
from sgt_data.scenes import write_samples

PICTURES, SIDE = 60, 48
SHARES = {"train": 0.6, "val": 0.2, "test": 0.2}
PLAN = CaptionPlan(shares=SHARES)

Line = dict[str, Any]


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("scenes")
    size = (SIDE, SIDE)
    write_samples(str(root), PICTURES, seed=4, size=size, scenes="simple", forms="coco")
    return root


@pytest.fixture(scope="module")
def corpus(scenes: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    output = str(tmp_path_factory.mktemp("corpus") / "corpus")
    places = {"root": scenes / "coco", "depth": scenes / "depth"}
    manifest = load_manifest(
        "experiment", [f"sources.coco.{name}={place}" for name, place in places.items()]
    )
    assert build_corpus(manifest, output, cluster=IN_PROCESS).succeeded
    return output


@pytest.fixture(scope="module")
def file(scenes: Path) -> Path:
    return scenes / "coco/annotations/captions_train2017.json"


@pytest.fixture(scope="module")
def written(corpus: str, file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("captions") / "pictures"
    write_captions(corpus, str(file), str(root), PLAN)
    return root


def lines_of(folder: Path) -> dict[str, list[Line]]:
    return {
        path.stem: [json.loads(line) for line in path.read_text().splitlines()]
        for path in sorted(folder.glob("*.jsonl"))
    }


def of_coco(file: Path, captions: list[dict[str, Any]]) -> dict[str, Any]:
    """A document with the fields of COCO's own captions file."""
    images = [
        {
            "license": 4, "file_name": f"{number:012d}.jpg", "height": 48, "width": 48,
            "id": number,
            "coco_url": f"http://images.cocodataset.org/train2017/{number:012d}.jpg",
            "date_captured": "2013-11-14 11:18:45",
            "flickr_url": "http://farm9.staticflickr.com/8186/8119368305_4e622c8349_z.jpg",
        }
        for number in (1, 2, 3, 118_287)
    ]  # fmt: skip
    document = {"info": {}, "images": images, "licenses": [], "annotations": captions}
    file.write_text(json.dumps(document))
    return document


def test_each_caption_is_a_line_whose_answer_is_the_picture(written: Path, file: Path) -> None:
    lines = [line for lines in lines_of(written).values() for line in lines]
    rows = {row["id"]: row for row in json.loads(file.read_bytes())["annotations"]}
    assert len(lines) == len(rows)
    for line in lines:
        row = rows[int(line["id"].rpartition("-")[2])]
        assert line["key"] == f"coco_{row['image_id']:012d}"
        assert line["conversations"] == [
            {"from": "human", "value": f"Draw a picture of: {row['caption']}"},
            {"from": "gpt", "value": "<image>"},
        ]
        for name in ("task", "things", "relation"):
            assert line[name] == row[name]
        assert (line["draws"], line["image"]) == ("picture", f"images/{line['key']}.jpg")


def test_captions_answer_a_question_about_the_picture(
    corpus: str, file: Path, written: Path, tmp_path: Path
) -> None:
    ask = "What does the picture show?"
    root = tmp_path / "answers"
    plan = CaptionPlan(shares=SHARES, ask=ask)
    assert write_captions(corpus, str(file), str(root), plan).draws is None
    asked = dict.fromkeys(SHARES, 0)
    for split, lines in lines_of(root).items():
        for line, drawn in zip(lines, lines_of(written)[split], strict=True):
            question, answer = (turn["value"] for turn in line["conversations"])
            assert question == f"<image>\n{ask}"
            assert drawn["conversations"][0]["value"] == f"Draw a picture of: {answer}"
            assert line["image"] == drawn["image"]
            assert "draws" not in line
            asked[split] += 1
    assert all(asked.values())
    with pytest.raises(RequestError, match="give one of the two"):
        CaptionPlan(ask=ask, draw="semantic")
    with pytest.raises(CorpusMismatch):
        write_captions(corpus, str(file), str(root), PLAN)


def test_what_is_drawn_is_what_the_corpus_stores(
    written: Path, corpus: str, file: Path, tmp_path: Path
) -> None:
    """The stored picture, byte by byte, or the stored target, which decodes to its categories."""
    write_captions(corpus, str(file), str(tmp_path), CaptionPlan(draw="semantic", shares=SHARES))
    for sample in open_corpus(corpus).samples("semantic"):
        assert (written / f"images/{sample.key}.jpg").read_bytes() == sample.input
        assert (tmp_path / f"images/{sample.key}.png").read_bytes() == sample.target
    lines = [line for lines in lines_of(tmp_path).values() for line in lines]
    facts = {sample.key: sample.facts for sample in open_corpus(corpus).samples("semantic")}
    for line in lines:
        assert line["conversations"][0]["value"].startswith("Draw the class map of: ")
        assert line["draws"] == "semantic"
        decoded = decode((tmp_path / line["image"]).read_bytes(), facts[line["key"]])
        shown = {
            segment["category"]
            for segment in facts[line["key"]]["segments"]
            if np.any(decoded.labels == segment["label"])
        }
        assert {thing["category"] for thing in line["things"]} <= shown


def test_a_picture_is_in_the_split_of_its_questions(
    written: Path, corpus: str, tmp_path: Path
) -> None:
    write_questions(corpus, str(tmp_path), QuestionPlan(shares=SHARES))
    splits = {line["key"]: split for split, lines in lines_of(tmp_path).items() for line in lines}
    captioned = {
        (line["key"], split) for split, lines in lines_of(written).items() for line in lines
    }
    assert set(splits.items()) <= captioned
    assert {split for _, split in captioned} == {"train", "val", "test"}


def test_captions_of_coco_itself_have_no_task(corpus: str, tmp_path: Path) -> None:
    captions = [
        {"image_id": 1, "id": 48, "caption": "Two balls  lie\non the grass. "},
        {"image_id": 1, "id": 49, "caption": "A ball"},
        {"image_id": 118_287, "id": 50, "caption": "A bear"},
        {"image_id": 77, "id": 51, "caption": "A cat"},
        {"image_id": 2, "id": 52, "caption": "  "},
        {"image_id": 2, "id": 53, "caption": "<image> of a cat"},
        {"image_id": 2, "id": 54, "caption": "x" * 10_001},
        {"image_id": 2, "id": 55, "caption": "A cat", "things": [{"category": "cat"}]},
    ]
    of_coco(tmp_path / "captions.json", captions)
    report = write_captions(
        corpus, str(tmp_path / "captions.json"), str(tmp_path / "out"), CaptionPlan(shares=SHARES)
    )
    (lines,) = (lines for lines in lines_of(tmp_path / "out").values() if lines)
    assert [line["conversations"][0]["value"] for line in lines] == [
        "Draw a picture of: Two balls lie on the grass.", "Draw a picture of: A ball",
    ]  # fmt: skip
    assert [(line["task"], line["things"], line["relation"]) for line in lines] == [
        ("caption", [], None)
    ] * 2
    assert report.left_out == {
        NO_PICTURE: 1,
        "it has no text": 1,
        "it holds <image>, which stands for a picture": 1,
        "it is longer than 10,000 characters": 1,
        "its image_id is none of `images`": 1,
        "its task, things or relation have another form": 1,
    }
    assert accounted(report) == len(captions)
    assert (report.pictures, report.pictures_without_caption) == (1, PICTURES - 1)
    assert sorted(path.name for path in (tmp_path / "out/images").iterdir()) == [
        "coco_000000000001.jpg"
    ]


def accounted(report: CaptionsReport) -> int:
    assert report.written == sum(sum(tasks.values()) for tasks in report.splits.values())
    return report.written + sum(report.left_out.values())


def test_captions_of_pictures_that_the_corpus_left_out_are_counted(
    corpus: str, file: Path, tmp_path: Path
) -> None:
    """Here: pictures of fewer than four things, by a filter; the quarantine names them."""
    held = {sample.key for sample in open_corpus(corpus).samples("entity")}
    coco = file.parent.parent
    manifest = load_manifest(
        "experiment",
        [
            f"sources.coco.root={coco}",
            f"sources.coco.depth={coco.parent / 'depth'}",
            "proxies.instance.filters={min_segments: 4}",
        ],
    )
    output = str(tmp_path / "filtered")
    assert build_corpus(manifest, output, cluster=IN_PROCESS).succeeded
    plan = CaptionPlan(draw="instance", shares=SHARES)
    report = write_captions(output, str(file), str(tmp_path / "out"), plan)
    kept = {sample.key for sample in open_corpus(output).samples("instance")}
    rows = json.loads(file.read_bytes())["annotations"]
    lost = sum(f"coco_{row['image_id']:012d}" in held - kept for row in rows)
    assert 0 < lost == report.left_out[PICTURE_LEFT_OUT]
    assert accounted(report) == len(rows)


def test_a_subset_and_shares_leave_captions_out(corpus: str, file: Path, tmp_path: Path) -> None:
    part = subset(corpus, 0.5, file=f"{tmp_path}/part.subset.parquet").place
    report = write_captions(
        part, str(file), str(tmp_path / "out"), CaptionPlan(shares={"train": 0.5})
    )
    assert set(report.left_out) == {NO_PICTURE, NO_SPLIT}
    assert accounted(report) == report.captions
    assert list(lines_of(tmp_path / "out")) == ["train"]


def test_captions_of_some_tasks_are_written_and_the_others_counted(
    corpus: str, file: Path, written: Path, tmp_path: Path
) -> None:
    plan = CaptionPlan(shares=SHARES, tasks=("colour", "scene"))
    report = write_captions(corpus, str(file), str(tmp_path / "some"), plan)
    wanted = {
        split: [line for line in lines if line["task"] in ("colour", "scene")]
        for split, lines in lines_of(written).items()
    }
    assert lines_of(tmp_path / "some") == wanted and all(wanted.values())
    tasks = [row["task"] for row in json.loads(file.read_bytes())["annotations"]]
    others = sum(task not in ("colour", "scene") for task in tasks)
    assert report.left_out == {OTHER_TASK: others} and others
    assert accounted(report) == len(tasks)
    again = CaptionPlan(shares=SHARES, tasks=("scene", "colour", "scene"))
    assert write_captions(corpus, str(file), str(tmp_path / "some"), again).images == 0
    with pytest.raises(CorpusMismatch, match="tasks"):
        write_captions(corpus, str(file), str(tmp_path / "some"), PLAN)
    unknown = CaptionPlan(shares=SHARES, tasks=("scene", "color"))
    with pytest.raises(RequestError, match=r"tasks: found 'color'; .*scene.*did you mean colour"):
        write_captions(corpus, str(file), str(tmp_path / "none"), unknown)
    with pytest.raises(RequestError, match="tasks: found no name"):
        CaptionPlan(tasks=())


def test_going_on_writes_what_is_missing_and_the_same_bytes(
    written: Path, corpus: str, file: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again"
    shutil.copytree(written, again)
    (again / "train.jsonl").unlink()
    for name in ("coco_000000000001", "coco_000000000002"):
        (again / f"images/{name}.jpg").unlink()
    assert write_captions(corpus, str(file), str(again), PLAN).images == 2
    files = [
        {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        for root in (written, again)
    ]
    assert files[0] == files[1]


def test_other_captions_and_other_work_are_refused(
    written: Path, corpus: str, file: Path, tmp_path: Path
) -> None:
    with pytest.raises(CorpusMismatch, match="draws is 'picture' there, 'semantic' here"):
        write_captions(corpus, str(file), str(written), CaptionPlan(draw="semantic", shares=SHARES))
    changed = tmp_path / "changed.json"
    changed.write_bytes(file.read_bytes().replace(b"ball", b"bowl"))
    with pytest.raises(CorpusMismatch, match="captions"):
        write_captions(corpus, str(changed), str(written), PLAN)
    with pytest.raises(RequestError, match="it is a folder of captions"):
        write_questions(corpus, str(written))


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        (b"{", InputError, "is not JSON"),
        (b"[]", RequestError, "found list, no list `images`"),
        (b'{"images": [{"id": "1"}], "annotations": []}', RequestError, "whole number `id`"),
        (
            b'{"images": [{"id": 1, "file_name": "a"}, {"id": 1, "file_name": "b"}], '
            b'"annotations": []}', RequestError, "gives the id 1 to",
        ),
        (
            b'{"images": [], "annotations": [{"segmentation": []}]}',
            RequestError, "has the field caption",
        ),
    ],
)  # fmt: skip
def test_files_of_another_form_are_refused(
    content: bytes, kind: type[Exception], message: str, corpus: str, tmp_path: Path
) -> None:
    (tmp_path / "captions.json").write_bytes(content)
    with pytest.raises(kind, match=message):
        write_captions(corpus, str(tmp_path / "captions.json"), str(tmp_path / "out"))


def test_a_packed_file_is_read(corpus: str, file: Path, tmp_path: Path) -> None:
    (tmp_path / "captions.json.gz").write_bytes(gzip.compress(file.read_bytes()))
    packed = str(tmp_path / "captions.json.gz")
    assert write_captions(corpus, packed, str(tmp_path / "out"), PLAN).left_out == {}


def test_only_targets_that_a_caption_describes_are_drawn(
    corpus: str, file: Path, tmp_path: Path
) -> None:
    for draw in ("inpainting", "referring", "semantics"):
        with pytest.raises(RequestError, match=f"draw: found {draw}; .*entity, semantic, instance"):
            write_captions(corpus, str(file), str(tmp_path / "out"), CaptionPlan(draw=draw))
    with pytest.raises(RequestError, match="source: found 'cocoa'"):
        write_captions(corpus, str(file), str(tmp_path / "out"), CaptionPlan(source="cocoa"))


def test_pictures_come_from_proxies_that_do_not_degrade_them() -> None:
    clean = {name for name in UNIFORM_TYPES if not proxy_kinds()[name].degrades}
    assert clean - {"generate"} == CLEAN_INPUTS


def test_the_command_counts_captions_by_task(corpus: str, file: Path, tmp_path: Path) -> None:
    words = [
        "captions",
        corpus,
        "--captions",
        str(file),
        "--output",
        str(tmp_path / "out"),
        "--json",
    ]
    done = CliRunner().invoke(app, [*words, "--draw", "semantic", "--shares", "train=1"])
    assert done.exit_code == 0, done.stderr
    report = json.loads(done.stdout)
    rows = json.loads(file.read_bytes())["annotations"]
    assert report["splits"] == {"train": dict(Counter(row["task"] for row in rows))}
    assert (report["draws"], report["written"], report["left_out"]) == ("semantic", len(rows), {})
    assert "sgt-data train" in done.stderr
    words[5] = str(tmp_path / "some")
    done = CliRunner().invoke(app, [*words, "--tasks", "scene,colour", "--shares", "train=1"])
    assert done.exit_code == 0, done.stderr
    assert set(json.loads(done.stdout)["splits"]["train"]) == {"scene", "colour"}
    assert "left out: it is of another task" in done.stderr
