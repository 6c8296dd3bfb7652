"""Visual questions: true to the source's own annotations, and told by no words."""

from __future__ import annotations

import json
import re
import shutil
import zlib
from collections import Counter, defaultdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import samples_in, spoiled
from PIL import Image
from pycocotools.coco import COCO

from sgt_data import IN_PROCESS, build_corpus, open_corpus
from sgt_data.cli.app import main
from sgt_data.corpus.paths import index_path, tar_path
from sgt_data.errors import CorpusError, RequestError
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.questions.balance import choose_questions
from sgt_data.questions.picture_facts import PictureFacts
from sgt_data.questions.question_plan import QuestionPlan
from sgt_data.questions.question_tasks import (
    TASKS,
    Candidate,
    LeftOut,
    Outcome,
)
from sgt_data.questions.questioner import Questioner
from sgt_data.questions.splits import exact_shares, parse_shares, split_of
from sgt_data.questions.write_questions import write_questions
from sgt_data.referring.segment_facts import NamedCategory
from sgt_data.scenes.write_samples import write_samples
from sgt_data.stream.conversations import ConversationFile

PICTURES = 320
SPLITS = ("train", "val", "test")
SHARES = {"train": 0.6, "val": 0.2, "test": 0.2}
INSTANCE, PANOPTIC, SEMANTIC = (
    {"type": "segmentation", "name": name, "variant": name}
    for name in ("instance", "panoptic", "semantic")
)
DEPTH = {"type": "depth"}
SINGULAR = {
    "balls": "ball", "crates": "crate", "rings": "ring", "cones": "cone", "houses": "house",
    "cottages": "cottage", "trees": "tree", "mushrooms": "mushroom", "snowmen": "snowman",
    "mugs": "mug",
}  # fmt: skip

Line = dict[str, Any]


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("scenes") / "samples"
    write_samples(str(root), PICTURES, seed=5, size=(128, 96))
    return root


@pytest.fixture(scope="module")
def corpus(scenes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(scenes, tmp_path_factory.mktemp("corpus") / "corpus")


@pytest.fixture(scope="module")
def asked(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("questions") / "all"
    write_questions(str(corpus), str(root), QuestionPlan(shares=SHARES))
    return root


def build(scenes: Path, output: Path, proxies: Any = None, **more: Any) -> Path:
    document = {
        "name": "asked",
        "shard_samples": 64,
        "pictures": {"min_side": 64, "max_side": 128, "multiple_of": 8},
        "sources": [
            {
                "type": "coco",
                "root": f"{scenes}/coco",
                "annotations": ["instances", "panoptic"],
                "depth": f"{scenes}/depth",
            }
        ],
        "proxies": proxies or [PANOPTIC, INSTANCE, DEPTH],
    }
    assert build_corpus(parse_manifest(document | more), str(output), cluster=IN_PROCESS).succeeded
    return output


def lines_of(folder: Path, split: str | None = None) -> list[Line]:
    return [
        json.loads(line)
        for name in ([split] if split else SPLITS)
        for line in (folder / f"{name}.jsonl").read_text().splitlines()
    ]


def question(line: Line) -> tuple[str, str]:
    """Text and answer."""
    human, gpt = line["conversations"]
    assert (human["from"], gpt["from"]) == ("human", "gpt")
    image, text = human["value"].split("\n")
    assert image == "<image>"
    return text, gpt["value"]


def by_task(lines: list[Line]) -> dict[str, list[Line]]:
    lines_by_task: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        lines_by_task[line["task"]].append(line)
    return lines_by_task


def images_of(coco: COCO, line: Line) -> dict[str, list[dict[str, Any]]]:
    """COCO's annotations of a line's picture, by category."""
    number = int(line["key"].removeprefix("coco_"))
    by_category: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for annotation in coco.loadAnns(coco.getAnnIds(imgIds=number)):
        by_category[coco.cats[annotation["category_id"]]["name"]].append(annotation)
    return by_category


@pytest.fixture(scope="module")
def coco(scenes: Path) -> COCO:
    return COCO(f"{scenes}/coco/annotations/instances_train2017.json")


def test_counts_are_those_of_the_annotations(asked: Path, coco: COCO) -> None:
    lines = by_task(lines_of(asked))["count"]
    assert len(lines) > 100
    for line in lines:
        text, answer = question(line)
        plural = re.fullmatch(r"How many (\w+) are there in the picture\?", text)
        assert plural
        annotations = images_of(coco, line)[SINGULAR[plural[1]]]
        assert not any(annotation["iscrowd"] for annotation in annotations)
        assert answer == str(len(annotations))


def test_what_is_said_to_be_there_is_annotated_and_nothing_else(asked: Path, coco: COCO) -> None:
    lines = by_task(lines_of(asked))["presence"]
    assert len(lines) > 300
    for line in lines:
        text, answer = question(line)
        named = re.fullmatch(r"Is there an? (\w+) in the picture\?", text)
        assert named
        assert answer == ("yes" if images_of(coco, line)[named[1]] else "no")


def test_positions_are_those_of_the_boxes(asked: Path, coco: COCO) -> None:
    lines = by_task(lines_of(asked))["position"]
    answers: Counter[str] = Counter()
    for line in lines:
        text, answer = question(line)
        named = re.fullmatch(
            r"Is the (\w+) in the (\w+) or in the (\w+) half of the picture\?", text
        )
        assert named
        axis = int(named[2] == "upper")
        image = coco.loadImgs(int(line["key"].removeprefix("coco_")))[0]
        middle = (image["width"], image["height"])[axis] / 2
        ((only,),) = (images_of(coco, line)[named[1]],)
        centre = only["bbox"][axis] + only["bbox"][axis + 2] / 2
        assert answer == named[2 if centre < middle else 3]
        answers[answer] += 1
    assert min(answers[answer] for answer in ("left", "right", "upper", "lower")) > 5


def test_relations_are_those_of_the_boxes(asked: Path, coco: COCO) -> None:
    lines = by_task(lines_of(asked))["relation"]
    forms = (
        (r"Is the (\w+) to the left or to the right of the (\w+)\?", 0, "left", "right"),
        (r"In the picture, is the (\w+) above or below the (\w+)\?", 1, "above", "below"),
    )
    answers: Counter[str] = Counter()
    for line in lines:
        text, answer = question(line)
        form, axis, lesser, greater = next(row for row in forms if re.fullmatch(row[0], text))
        names = re.fullmatch(form, text)
        assert names
        annotations = images_of(coco, line)
        (first,), (second,) = annotations[names[1]], annotations[names[2]]
        centres = [
            annotation["bbox"][axis] + annotation["bbox"][axis + 2] / 2
            for annotation in (first, second)
        ]
        assert answer == (lesser if centres[0] < centres[1] else greater)
        answers[answer] += 1
    assert min(answers[answer] for answer in ("left", "right", "above", "below")) > 5


def test_what_is_nearer_is_so_in_the_exact_depth(asked: Path, coco: COCO, scenes: Path) -> None:
    lines = by_task(lines_of(asked))["nearer"]
    assert len(lines) > 30
    for line in lines:
        text, answer = question(line)
        names = re.fullmatch(r"Which is nearer to the camera, the (\w+) or the (\w+)\?", text)
        assert names
        annotations = images_of(coco, line)
        with Image.open(scenes / "depth" / f"{line['key'].removeprefix('coco_')}.png") as image:
            inverse = np.asarray(image).astype(np.int64)
        medians = {}
        for name in names.groups():
            (only,) = annotations[name]
            medians[name] = np.median(inverse[coco.annToMask(only).astype(bool)])
        assert answer == max(medians, key=lambda name: medians[name])


def test_stuff_is_asked_about_as_the_panoptic_annotation_has_it(
    corpus: Path, scenes: Path, tmp_path: Path
) -> None:
    plan = QuestionPlan(tasks=["presence"])
    write_questions(str(corpus), str(tmp_path / "q"), plan, proxy="panoptic")
    document = json.loads((scenes / "coco/annotations/panoptic_train2017.json").read_text())
    names = {category["id"]: category["name"] for category in document["categories"]}
    categories = {
        f"coco_{annotation['image_id']:012d}": {
            names[part["category_id"]] for part in annotation["segments_info"]
        }
        for annotation in document["annotations"]
    }
    named = set()
    for line in lines_of(tmp_path / "q"):
        text, answer = question(line)
        name = text.removesuffix("?").removesuffix(" in the picture").split()[-1]
        assert answer == ("yes" if name in categories[line["key"]] else "no"), text
        named.add(name)
    assert {"water", "grass", "wall", "hill", "ball"} <= named


def test_no_reader_of_the_words_alone_does_better_than_chance(asked: Path) -> None:
    """Each text has each of its answers equally often: whatever is answered to it, chance is what
    one gets. The best such reader is tried as well."""
    account = json.loads((asked / "questions.json").read_text())["splits"]
    learned: dict[str, Counter[str]] = defaultdict(Counter)
    for line in lines_of(asked, "train"):
        text, answer = question(line)
        learned[text][answer] += 1
    for split in SPLITS:
        for task, lines in by_task(lines_of(asked, split)).items():
            right, chance = 0, Fraction(0)
            answers: dict[str, Counter[str]] = defaultdict(Counter)
            for line in lines:
                text, answer = question(line)
                answers[text][answer] += 1
                chance += Fraction(1, len(line["choices"]))
                guess = learned[text].most_common(1)[0][0] if text in learned else None
                right += (guess or line["choices"][-1]) == answer
            for line in lines:
                counts = answers[question(line)[0]]
                assert sorted(counts) == sorted(line["choices"]) and len(counts) > 1
                assert len(set(counts.values())) == 1
            assert right == chance
            stated = account[split][task]
            assert stated["questions"] == len(lines)
            assert stated["blind"] == stated["chance"] == float(chance / len(lines))
    assert all(set(account[split]) == set(TASKS) for split in SPLITS)


def candidate(key: int, text: str, answer: str, rank: int) -> Candidate:
    return Candidate(str(key), "count" if text in "pq" else "presence", text, answer, rank)


CANDIDATES = st.builds(
    candidate,
    key=st.integers(0, 9),
    text=st.sampled_from("pqrs"),
    answer=st.sampled_from("123"),
    rank=st.integers(0, 30),
)


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(SPLITS),
        st.lists(
            CANDIDATES, max_size=60, unique_by=lambda candidate: (candidate.key, candidate.text)
        ),
        min_size=1,
    ),
    st.integers(1, 3),
    st.none() | st.integers(1, 6),
    st.randoms(use_true_random=False),
)
def test_balance_and_limits_hold_whatever_there_is_to_choose_from(
    splits: dict[str, list[Candidate]], per_picture: int, per_task: int | None, rng: Any
) -> None:
    chosen = choose_questions(splits, per_picture, per_task)
    choices = {}
    for split, questions in chosen.items():
        assert {question.candidate for question in questions} <= set(splits[split])
        assert len({question.candidate for question in questions}) == len(questions)
        about = Counter((question.candidate.key, question.candidate.task) for question in questions)
        assert max(about.values(), default=0) <= per_picture
        of_task = Counter(question.candidate.task for question in questions)
        assert per_task is None or max(of_task.values(), default=0) <= per_task
        answers: dict[str, Counter[str]] = defaultdict(Counter)
        for question in questions:
            answers[question.candidate.text][question.candidate.answer] += 1
            assert choices.setdefault(question.candidate.text, question.choices) == question.choices
        for text, counts in answers.items():
            assert set(counts) == set(choices[text]) and len(counts) > 1
            assert len(set(counts.values())) == 1
    shuffled = {
        split: rng.sample(candidates, len(candidates)) for split, candidates in splits.items()
    }
    assert choose_questions(dict(reversed(shuffled.items())), per_picture, per_task) == chosen


def test_most_questions_are_kept() -> None:
    """Of twelve ones, ten twos and three threes: ones and twos."""
    answers = "1" * 12 + "2" * 10 + "3" * 3
    candidates = [
        Candidate(str(number), "count", "?", answer, number)
        for number, answer in enumerate(answers)
    ]
    chosen = choose_questions({"train": candidates}, 1)["train"]
    assert Counter(question.candidate.answer for question in chosen) == {"1": 10, "2": 10}
    assert {question.choices for question in chosen} == {("1", "2")}


def test_same_pictures_same_questions_however_the_corpus_was_built(
    asked: Path, scenes: Path, tmp_path: Path
) -> None:
    """Other shards, shared inputs, another order of proxies, more of them."""
    other = build(
        scenes, tmp_path / "other", [DEPTH, {"type": "edge"}, INSTANCE],
        shard_samples=17, inputs="shared",
    )  # fmt: skip
    write_questions(str(other), str(tmp_path / "questions"), QuestionPlan(shares=SHARES))
    for path in asked.rglob("*"):
        if path.is_file() and path.name != "questions.json":
            same = tmp_path / "questions" / path.relative_to(asked)
            assert same.read_bytes() == path.read_bytes(), path
    assert len(list((tmp_path / "questions" / "images").iterdir())) == len(
        list((asked / "images").iterdir())
    )


def test_two_things_are_named_in_both_orders(asked: Path) -> None:
    texts = {question(line)[0] for line in by_task(lines_of(asked))["nearer"]}
    swapped = {re.sub(r"the (\w+) or the (\w+)", r"the \2 or the \1", text) for text in texts}
    assert len(texts & swapped) >= 10


def test_depth_added_later_adds_questions_and_changes_none(
    asked: Path, scenes: Path, tmp_path: Path
) -> None:
    bare = build(scenes, tmp_path / "bare", [PANOPTIC, INSTANCE])
    report = write_questions(str(bare), str(tmp_path / "before"), QuestionPlan(shares=SHARES))
    assert report.unanswered == {"nearer": "there is no depth proxy"}
    for split in SPLITS:
        others = [line for line in lines_of(asked, split) if line["task"] != "nearer"]
        assert lines_of(tmp_path / "before", split) == others


def test_no_picture_is_in_two_splits(asked: Path) -> None:
    keys = [{line["key"] for line in lines_of(asked, split)} for split in SPLITS]
    assert sum(map(len, keys)) == len(set.union(*keys))
    assert all(keys)


def test_a_smaller_train_split_lies_in_a_larger_one_and_leaves_the_others_alone() -> None:
    keys = [f"coco_{number}" for number in range(2000)]

    def split(**shares: float) -> dict[str, set[str]]:
        keys_by_split: dict[str, set[str]] = defaultdict(set)
        for key in keys:
            keys_by_split[split_of(key, exact_shares(shares), 0) or ""].add(key)
        return keys_by_split

    large, small = split(train=0.8, val=0.1, test=0.1), split(train=0.2, val=0.1, test=0.1)
    assert small["train"] < large["train"]
    assert (small["val"], small["test"]) == (large["val"], large["test"])
    assert not large[""] and len(small[""]) > 1000
    for name, share in (("train", 0.8), ("val", 0.1), ("test", 0.1)):
        assert abs(len(large[name]) / len(keys) - share) < 0.03


def test_another_seed_asks_something_else(corpus: Path, asked: Path, tmp_path: Path) -> None:
    write_questions(str(corpus), str(tmp_path / "q"), QuestionPlan(seed=1, shares=SHARES))
    assert lines_of(tmp_path / "q") != lines_of(asked)


def test_pictures_are_the_corpus_own_bytes_and_the_stream_reads_the_lines(
    asked: Path, corpus: Path
) -> None:
    stored = samples_in(corpus, "instance")
    for split in SPLITS:
        file = ConversationFile(str(asked / f"{split}.jsonl"))
        lines = lines_of(asked, split)
        assert len(file) == len(lines) > 0
        for number, line in enumerate(lines):
            conversation = file.read("vqa", number)
            assert conversation.key == line["id"]
            assert conversation.image == stored[line["key"]]["input.jpg"]
            assert list(conversation.turns) == line["conversations"]
    ids = [line["id"] for line in lines_of(asked)]
    assert len(ids) == len(set(ids))


def test_no_more_than_so_many_of_a_task_about_one_picture(corpus: Path, tmp_path: Path) -> None:
    write_questions(str(corpus), str(tmp_path / "q"), QuestionPlan(per_picture=1))
    lines = lines_of(tmp_path / "q")
    assert max(Counter((line["key"], line["task"]) for line in lines).values()) == 1


def test_questions_are_written_again_where_they_are_and_over_nothing_else(
    corpus: Path, asked: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(asked, copy)
    removed = sorted((copy / "images").iterdir())[:3]
    for path in (*removed, copy / "val.jsonl"):
        path.unlink()
    report = write_questions(str(corpus), str(copy), QuestionPlan(shares=SHARES))
    assert report.images == 3
    for path in asked.rglob("*"):
        if path.is_file():
            assert (copy / path.relative_to(asked)).read_bytes() == path.read_bytes()
    with pytest.raises(RequestError, match="seed is 0 there, 7 here"):
        write_questions(str(corpus), str(copy), QuestionPlan(seed=7, shares=SHARES))
    with pytest.raises(RequestError, match=r"holds corpus\.json, so it is a corpus"):
        write_questions(str(corpus), str(corpus))


def test_requests_that_cannot_be_met_are_refused(
    corpus: Path, scenes: Path, tmp_path: Path
) -> None:
    def ask(url: Path = corpus, proxy: str | None = None, **more: Any) -> None:
        write_questions(str(url), str(tmp_path / "q"), QuestionPlan(**more), proxy=proxy)

    entity = {"type": "segmentation", "name": "entity", "variant": "entity"}
    other = build(scenes, tmp_path / "other", [entity, SEMANTIC])
    with pytest.raises(RequestError, match="'colour'; allowed: count, presence"):
        ask(tasks=["colour"])
    with pytest.raises(RequestError, match="found depth; questions need categories"):
        ask(proxy="depth")
    with pytest.raises(RequestError, match=r"found entity; .*this corpus has semantic"):
        ask(other, proxy="entity")
    with pytest.raises(RequestError, match="count cannot be answered: semantic does not tell"):
        ask(other, tasks=["count"])
    with pytest.raises(RequestError, match="per_picture: found 0"):
        ask(per_picture=0)
    with pytest.raises(RequestError, match=r"add up to 1\.1"):
        ask(shares={"train": 0.9, "test": 0.2})
    with pytest.raises(RequestError, match="found 'dev'"):
        ask(shares={"dev": 0.9})
    with pytest.raises(RequestError, match="found 'train'"):
        parse_shares("train")
    assert not (tmp_path / "q").exists()


def facts_of(*segments: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Of a picture of 100x100 pixels: each segment a box of 20x20, side by side."""
    return {
        "key": "made_1",
        "source": {"name": "made"},
        "size": {"width": 100, "height": 100},
        "variant": "instance",
        "segments": [
            {
                "label": number,
                "isthing": True,
                "visible_area": 400,
                "visible_box": [20 * (number - 1), 10, 20, 20],
            }
            | segment
            for number, segment in enumerate(segments, 1)
        ],
        "hidden": [],
        "dropped": {},
    } | more


SHOWN = {NamedCategory(name, True): 1.0 for name in ("dog", "cat", "bear", "teddy bear", "person")}


def asked_of(facts: dict[str, Any]) -> tuple[set[tuple[str, str]], set[str]]:
    """Texts with answers of all that could be asked, and the reasons for what could not."""
    questioner = Questioner({"made": {**SHOWN, NamedCategory("grass", False): 1.0}}, seed=0)
    picture = PictureFacts.of(facts)
    outcomes: list[Outcome] = [
        *questioner.counts(picture),
        *questioner.presences(picture),
        *questioner.positions(picture),
        *questioner.relations(picture),
        *questioner.nearers(picture, lambda thing: thing.label / 10),
    ]
    reasons = {outcome.reason for outcome in outcomes if isinstance(outcome, LeftOut)}
    return {
        (outcome.text, outcome.answer) for outcome in outcomes if isinstance(outcome, Candidate)
    }, reasons


DOGS, DOG, NO_BEAR = "How many dogs are there in the picture?", "Is there a dog in the picture?", (
    "Is there a bear in the picture?", "no",
)  # fmt: skip


def test_what_is_certain_is_asked() -> None:
    asked, _ = asked_of(facts_of({"category": "dog"}, {"category": "cat"}, {"category": "person"}))
    assert {(DOGS, "1"), (DOG, "yes"), NO_BEAR} <= asked
    assert ("How many people are there in the picture?", "1") in asked
    related = [text for text, _ in asked if "to the left" in text]
    assert len(related) == 6
    assert not any("above" in text for text, _ in asked)  # all at one height
    nearer = {text: answer for text, answer in asked if "nearer" in text}
    # nearness_of rises by 0.1 from thing to thing: only those two apart are certain
    assert list(nearer.values()) == ["person", "person"]  # asked in both orders


@pytest.mark.parametrize(
    ("category", "isthing", "presence", "count"),
    [
        ("person", True, "Is there a person in the picture?", "How many people are there"),
        ("umbrella", True, "Is there an umbrella in the picture?", "How many umbrellas are there"),
        ("wine glass", True, "Is there a wine glass", "How many wine glasses are there"),
        ("sheep", True, "Is there a sheep in the picture?", "How many sheep are there"),
        ("skis", True, "Is there a pair of skis in the picture?", None),
        ("tree-merged", False, "Is there a tree in the picture?", None),
        ("sky-other-merged", False, "Is there any sky in the picture?", None),
        ("clothes", False, "Are there any clothes in the picture?", None),
        ("wall-brick", False, "Does the picture show any brick wall?", None),
        ("other", False, None, None),
        ("<image>\nno", True, None, None),
    ],
)
def test_questions_are_plain_english(
    category: str, isthing: bool, presence: str | None, count: str | None
) -> None:
    asked, _ = asked_of(facts_of({"category": category, "isthing": isthing}))
    about = [text for text, answer in asked if answer != "no" and "half" not in text]
    beginnings = [beginning for beginning in (presence, count) if beginning is not None]
    assert len(about) == len(beginnings)
    assert all(any(text.startswith(beginning) for text in about) for beginning in beginnings)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (facts_of({"category": "dog", "iscrowd": True}), "a crowd"),
        (facts_of({"category": "dog"}, {"category": "dog", "visible_area": 40}), "too small"),
        (
            facts_of({"category": "dog"}, hidden=[{"category": "dog", "isthing": True}]),
            "one of them is hidden",
        ),
        (facts_of({"category": "dog"}, dropped={"min_area": 1}), "filters left something out"),
    ],
)
def test_how_many_there_are_is_not_asked_where_it_is_uncertain(
    facts: dict[str, Any], reason: str
) -> None:
    asked, reasons = asked_of(facts)
    assert DOGS not in dict(asked)
    assert (DOG, "yes") in asked
    assert reason in reasons
    assert not any("the dog" in text for text, _ in asked)


@pytest.mark.parametrize(
    "facts",
    [
        facts_of({"category": "dog"}, {"category": "bear", "label": 0, "visible_area": 0}),
        facts_of({"category": "dog"}, hidden=[{"category": "bear", "isthing": True}]),
        facts_of({"category": "dog"}, dropped={"crowds": 2}),
        facts_of({"category": "dog"}, {"category": "teddy bear"}),
        facts_of({"category": "dog"}, {"category": "bear", "visible_area": 40}),
    ],
)
def test_nothing_is_said_to_be_absent_that_may_be_there(facts: dict[str, Any]) -> None:
    asked, _ = asked_of(facts)
    assert "Is there a bear in the picture?" not in dict(asked)


def test_stuff_is_absent_only_where_all_has_a_label() -> None:
    grass = ("Does the picture show any grass?", "no"), ("Is there any grass in the picture?", "no")
    bare, _ = asked_of(facts_of({"category": "dog"}))
    whole = {"category": "dog", "visible_area": 10000, "visible_box": [0, 0, 100, 100]}
    full, _ = asked_of(facts_of(whole))
    assert not bare & set(grass)
    assert full & set(grass)


def test_hostile_facts_are_corpus_errors(corpus: Path) -> None:
    """Any field may hold anything; the answer is a picture or a CorpusError."""
    facts = [sample.facts for sample in open_corpus(str(corpus)).samples("instance")][:20]
    rng = np.random.default_rng(0)
    refused = 0
    for number in range(1500):
        try:
            asked_of(spoiled(rng, facts[number % len(facts)]))
        except CorpusError:
            refused += 1
    assert refused > 200


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda facts: facts["segments"][0].pop("visible_box"), "0 visible pixels|visible pixels"),
        (lambda facts: facts["segments"][0].update(category=3), "category is no text"),
        (lambda facts: facts["segments"][0].update(label=9), "label 9 stands where 1 belongs"),
        (lambda facts: facts.update(key="another"), "its facts are those of 'another'"),
        (lambda facts: facts.pop("dropped"), "the field 'dropped' is missing"),
    ],
)
def test_a_malformed_sample_is_named(
    corpus: Path, tmp_path: Path, change: Any, message: str
) -> None:
    """Facts that the index vouches for, and that are wrong nevertheless."""
    copy = tmp_path / "copy"
    shutil.copytree(corpus, copy)
    shard = open_corpus(str(copy)).shards("instance")[0]
    tar, index = copy / tar_path("instance", shard), copy / index_path("instance", shard)
    table = pq.read_table(index)
    row = table.to_pylist()[2]
    data = bytearray(tar.read_bytes())
    place = slice(row["facts_offset"], row["facts_offset"] + row["facts_size"])
    facts = orjson.loads(data[place])
    change(facts)
    changed = orjson.dumps(facts).replace(b'"segmentation_instance"', b'""')
    data[place] = changed.ljust(row["facts_size"])
    assert len(data) == tar.stat().st_size
    tar.write_bytes(data)
    checksums = table["facts_crc32"].to_pylist()
    checksums[2] = zlib.crc32(data[place])
    column = table.schema.get_field_index("facts_crc32")
    pq.write_table(table.set_column(column, "facts_crc32", pa.array(checksums, pa.uint32())), index)
    with pytest.raises(CorpusError, match=message) as caught:
        write_questions(str(copy), str(tmp_path / "q"))
    assert row["key"] in str(caught.value) and "instance" in str(caught.value)


def test_a_damaged_sample_is_named(corpus: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(corpus, copy)
    shard = open_corpus(str(copy)).shards("depth")[0]
    tar = copy / tar_path("depth", shard)
    rows = pq.read_table(copy / index_path("depth", shard)).to_pylist()
    data = bytearray(tar.read_bytes())
    for row in rows:
        data[row["target_offset"] + 40] ^= 1
    tar.write_bytes(data)
    with pytest.raises(CorpusError, match=r"depth/.*target of sample coco_\d+ has another CRC"):
        write_questions(str(copy), str(tmp_path / "q"))


def test_the_command_writes_what_the_function_does(
    corpus: Path, asked: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(
            ["questions", str(corpus), "--output", str(tmp_path / "q"), "--json",
             "--shares", "train=0.6,val=0.2,test=0.2"]
        )  # fmt: skip
    assert ended.value.code == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["splits"] == json.loads((asked / "questions.json").read_text())["splits"]
    assert (tmp_path / "q" / "questions.json").read_bytes() == (
        asked / "questions.json"
    ).read_bytes()
