"""Samples as BAGEL's and OmniGen2's training takes them."""

from __future__ import annotations

import itertools
import json
import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from corpora import both_sources_document
from PIL import Image

from sgt_data import IN_PROCESS, build_corpus, open_corpus
from sgt_data.corpus.sample import Sample
from sgt_data.errors import CorpusError, RequestError
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.trainers import bagel_group
from sgt_data.trainers.bagel import BagelDataset
from sgt_data.trainers.bagel_conversations import BagelConversations
from sgt_data.trainers.bagel_sample import to_bagel
from sgt_data.trainers.omnigen2 import SizeLimits, to_omnigen2, to_sgt_omnigen2

SYSTEM = "Draw what you are told to."
EPOCH = 36
"""Samples: 24 of edge, 12 of panoptic."""


@pytest.fixture(scope="module")
def corpus(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("trainers") / "corpus"
    document = both_sources_document(sample_sources, shard_samples=5)
    document["pictures"] = {"min_side": 128, "max_side": 256, "multiple_of": 16}
    document["inputs"] = "shared"
    document["proxies"] = [
        {"type": "segmentation", "name": "panoptic", "variant": "panoptic", "sources": ["coco"]},
        {"type": "edge"},
    ]
    assert build_corpus(parse_manifest(document), str(root), cluster=IN_PROCESS).succeeded
    return str(root)


class Words:
    """A tokenizer: a number per byte."""

    def encode(self, text: str) -> list[int]:
        return list(text.encode())

    def apply_chat_template(
        self, chat: list[dict[str, str]], tokenize: bool, add_generation_prompt: bool
    ) -> str:
        assert not tokenize and not add_generation_prompt
        return "|".join(f"{turn['role']}:{turn['content']}" for turn in chat)


class Picture:
    """BAGEL's `ImageTransform`, without its normalisation: sides rounded to the stride."""

    def __init__(self, stride: int, side: int | None = None) -> None:
        self.stride, self.side = stride, side

    def __call__(self, picture: Image.Image) -> np.ndarray[Any, Any]:
        width, height = (self.side, self.side) if self.side else picture.size
        size = [max(1, round(side / self.stride)) * self.stride for side in (width, height)]
        return np.asarray(picture.resize((size[0], size[1]))).transpose(2, 0, 1)


def dataset(corpus: str, **changes: Any) -> BagelDataset:
    """As `PackedDataset.build_datasets` makes it: by keyword."""
    arguments = {
        "dataset_name": "sgt",
        "tokenizer": Words(),
        "local_rank": 0,
        "world_size": 1,
        "num_workers": 1,
        "data_status": None,
        "transform": Picture(16),
        "vit_transform": Picture(14, 112),
        "data_dir_list": [corpus],
        "num_used_data": [1000],
    }
    return BagelDataset(**(arguments | changes))


def first_samples(corpus: str, proxy: str = "panoptic", number: int = 3) -> list[Sample]:
    stored = itertools.islice(open_corpus(corpus).samples(proxy), number)
    return [replace(sample, component="all") for sample in stored]


def identity(packed: dict[str, Any]) -> tuple[bytes, bytes, tuple[int, ...]]:
    """What a sample is, whatever it is called."""
    _, target, picture = packed["image_tensor_list"]
    return picture.tobytes(), target.tobytes(), tuple(packed["text_ids_list"][0])


def all_identities(corpus: str) -> list[tuple[bytes, bytes, tuple[int, ...]]]:
    return sorted(
        identity(to_bagel(sample, Words(), Picture(16), Picture(14, 112)))
        for proxy in ("panoptic", "edge")
        for sample in first_samples(corpus, proxy, EPOCH)
    )


# --- BAGEL: samples


def test_a_sample_is_what_bagel_packs(corpus: str) -> None:
    for sample in first_samples(corpus):
        packed = to_bagel(sample, Words(), Picture(16), Picture(14, 112))
        picture, target = (np.asarray(image).transpose(2, 0, 1) for image in sample.pictures())
        vit_input, vae_target, vae_input = packed["image_tensor_list"]
        assert vit_input.shape == (3, 112, 112)
        assert np.array_equal(vae_target, target) and np.array_equal(vae_input, picture)
        assert packed["text_ids_list"] == [list(sample.instruction.encode())]
        height, width = target.shape[1:]
        assert packed["num_tokens"] == 64 + height * width // 256 + len(sample.instruction.encode())
        plan = packed["sequence_plan"]
        assert [(step["type"], step["enable_cfg"], step["loss"]) for step in plan] == [
            ("vit_image", 0, 0), ("text", 1, 0), ("vae_image", 0, 1),
        ]  # fmt: skip
        assert all(step["special_token_loss"] == 0 for step in plan)
        assert all(step["special_token_label"] is None for step in plan)
        assert set(packed["data_indexes"]) == {"data_indexes", "worker_id", "dataset_name"}


def test_what_is_learnt_is_the_target(corpus: str) -> None:
    """Packing takes pictures off the list's front, one for each step that shows one."""
    (sample,) = first_samples(corpus, number=1)
    packed = to_bagel(sample, Words(), Picture(16), Picture(14, 112))
    learnt = []
    for step in packed["sequence_plan"]:
        if step["type"].endswith("image"):
            tensor = packed["image_tensor_list"].pop(0)
            learnt += [tensor] * step["loss"]
    (tensor,) = learnt
    assert np.array_equal(tensor, np.asarray(sample.pictures()[1]).transpose(2, 0, 1))


def test_the_plan_edit_shows_the_input_to_vae_and_vit(corpus: str) -> None:
    """As BAGEL's own editing data, whose class `tests/test_trainer_bagel.py` runs."""
    for sample in first_samples(corpus):
        packed = to_bagel(sample, Words(), Picture(16), Picture(14, 112), plan="edit")
        picture, target = (np.asarray(image).transpose(2, 0, 1) for image in sample.pictures())
        given, seen, drawn = packed["image_tensor_list"]
        assert np.array_equal(given, picture) and np.array_equal(drawn, target)
        assert seen.shape == (3, 112, 112)
        plan = [
            (step["type"], step["enable_cfg"], step["loss"]) for step in packed["sequence_plan"]
        ]
        assert plan == [
            ("vae_image", 1, 0), ("vit_image", 1, 0), ("text", 1, 0), ("vae_image", 0, 1),
        ]  # fmt: skip
        height, width = target.shape[1:]
        assert packed["num_tokens"] == 64 + 2 * (height * width // 256) + len(sample.instruction)
        data = dataset(corpus, proxies=["panoptic"], plan="edit")
        assert all(len(one["sequence_plan"]) == 4 for one in itertools.islice(data, 12))


# --- BAGEL: the data set


def as_worker(
    data: BagelDataset, worker: int, workers: int, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, Any]]:
    """Its iterator in one of a DataLoader's workers."""
    iterator = iter(data)
    while True:
        with monkeypatch.context() as patched:
            patched.setattr(bagel_group, "loader_worker", lambda: (worker, workers))
            packed = next(iterator)
        yield packed


def test_an_epoch_holds_every_sample_once_in_any_topology(
    corpus: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = all_identities(corpus)
    for world, workers in ((1, 1), (2, 2), (3, 1), (1, 4)):
        samples = []
        for rank, worker in itertools.product(range(world), range(workers)):
            data = dataset(corpus, local_rank=rank, world_size=world, num_workers=workers)
            iterator = as_worker(data, worker, workers, monkeypatch)
            samples += list(itertools.islice(iterator, EPOCH // (world * workers)))
        assert sorted(map(identity, samples)) == expected


def test_no_sample_is_left_over_where_workers_do_not_divide_them(
    corpus: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five workers: a whole number of epochs is given after 36 samples of each."""
    samples = []
    for worker in range(5):
        data = dataset(corpus, num_workers=5)
        iterator = as_worker(data, worker, 5, monkeypatch)
        samples += list(map(identity, itertools.islice(iterator, EPOCH)))
    assert sorted(samples) == sorted(all_identities(corpus) * 5)


def test_it_resumes_exactly_after_any_sample(corpus: str, monkeypatch: pytest.MonkeyPatch) -> None:
    workers, steps = 2, EPOCH  # 36 of each of two workers: two epochs
    streams = []
    for worker in range(workers):
        data = dataset(corpus, num_workers=workers)
        iterator = as_worker(data, worker, workers, monkeypatch)
        streams.append(list(itertools.islice(iterator, steps)))
    expected = [[identity(packed) for packed in stream] for stream in streams]
    for stopped in range(steps - 2):
        # as BAGEL's training keeps it: the last index of each worker
        status = {}
        for stream, last in zip(streams, (stopped, stopped // 2), strict=True):
            where = stream[last]["data_indexes"]
            assert where["dataset_name"] == "sgt"
            status[where["worker_id"]] = where["data_indexes"]
        for worker, last in enumerate((stopped, stopped // 2)):
            data = dataset(corpus, num_workers=workers, data_status=status)
            iterator = as_worker(data, worker, workers, monkeypatch)
            following = [identity(packed) for packed in itertools.islice(iterator, 2)]
            assert following == expected[worker][last + 1 : last + 3]
    fresh = as_worker(dataset(corpus, num_workers=2, data_status={0: 3}), 1, 2, monkeypatch)
    assert identity(next(fresh)) == expected[1][0]  # a worker that had given nothing yet


def test_seeds_decide_the_order_and_are_heard_after_the_iterator_is_made(corpus: str) -> None:
    def order(seed: int | None) -> list[Any]:
        data = dataset(corpus)
        iterator = iter(data)  # as BAGEL does, before it sets the epoch
        if seed is not None:
            data.set_epoch(seed)
        return [identity(packed) for packed in itertools.islice(iterator, EPOCH)]

    assert order(1) == order(1)
    assert order(1) != order(2)
    assert order(None) == order(42)


def test_fewer_samples_lie_within_more(corpus: str) -> None:
    def used(number: int, seed: int) -> set[Any]:
        data = dataset(corpus, num_used_data=[number])
        data.set_epoch(seed)
        assert len(data) == min(number, EPOCH)
        return {identity(packed) for packed in itertools.islice(data, len(data))}

    sets = [used(number, seed) for seed, number in enumerate((1, 5, 17, 36, 50))]
    assert [len(samples) for samples in sets] == [1, 5, 17, 36, 36]
    assert all(smaller <= larger for smaller, larger in itertools.pairwise(sets))


def test_proxies_and_corpora_are_chosen(corpus: str) -> None:
    assert len(dataset(corpus, proxies=["panoptic"])) == 12
    two = dataset(corpus, data_dir_list=[corpus, corpus], num_used_data=[4, 7])
    assert len(two) == 11


def test_it_travels_to_workers_that_are_started_anew(corpus: str) -> None:
    data = dataset(corpus)
    first, second = iter(data), iter(pickle.loads(pickle.dumps(data)))
    assert [identity(next(first)) for _ in range(5)] == [identity(next(second)) for _ in range(5)]


def test_torch_workers_give_what_the_counts_say(corpus: str) -> None:
    data = pytest.importorskip("torch.utils.data")

    class Endless(data.IterableDataset):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            self.iterator = iter(dataset(corpus, num_workers=2))

        def __iter__(self) -> Iterator[Any]:
            for packed in self.iterator:
                yield packed["data_indexes"]

    loader = data.DataLoader(
        Endless(), batch_size=None, num_workers=2, multiprocessing_context="fork"
    )
    worker_counts = [
        (indexes["worker_id"], indexes["data_indexes"]) for indexes in itertools.islice(loader, 6)
    ]
    assert worker_counts == [(0, 0), (1, 0), (0, 1), (1, 1), (0, 2), (1, 2)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"local_rank": 2, "world_size": 2}, "rank is 2 of 2"),
        ({"data_status": {3: 1}, "num_workers": 2}, "as many workers as before"),
        ({"num_used_data": [1, 2]}, "2 numbers for 1 sources"),
        ({"num_used_data": [0]}, "from 1 on"),
        ({"proxies": ["depth"]}, "has no proxy 'depth'"),
        ({"proxies": []}, "no sample is left"),
        ({"plan": "vlm"}, "plan"),
        ({"cache": 7}, "a path or URL belongs"),
    ],
)
def test_what_does_not_fit_is_refused(corpus: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        dataset(corpus, **changes)


def test_another_number_of_workers_than_stated_is_refused(corpus: str) -> None:
    with pytest.raises(RequestError, match="num_workers is 4, the DataLoader has 1"):
        next(iter(dataset(corpus, num_workers=4)))


# --- BAGEL: conversations


def conversations(folder: Path, *rows: dict[str, Any]) -> BagelConversations:
    Image.new("RGB", (56, 28), "red").save(folder / "a.png")
    clear = Image.new("RGBA", (56, 28), (0, 0, 255, 0))
    clear.save(folder / "clear.png")
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "list.jsonl").write_text(lines)
    return BagelConversations(
        "questions", Picture(14), Words(), [str(folder)], [f"{folder}/list.jsonl"], num_workers=1
    )


def talk(*turns: tuple[str, str], **fields: Any) -> dict[str, Any]:
    return {"conversations": [{"from": who, "value": text} for who, text in turns], **fields}


def steps(packed: dict[str, Any]) -> list[tuple[str, int, str]]:
    """Kind, whether it is learnt, and the text, of each step of a plan."""
    texts = iter(packed["text_ids_list"])
    return [
        (step["type"], step["loss"],
         bytes(next(texts)).decode() if step["type"] == "text" else "")
        for step in packed["sequence_plan"]
    ]  # fmt: skip


def test_a_conversation_is_what_bagel_packs(tmp_path: Path) -> None:
    row = talk(
        ("human", "What is <image>\n here?"), ("gpt", "A cat."), ("human", "Its colour?"),
        ("gpt", "Red."), image="a.png",
    )  # fmt: skip
    packed = next(iter(conversations(tmp_path, row)))
    assert steps(packed) == [
        ("text", 0, "What is"), ("vit_image", 0, ""), ("text", 0, "here?"), ("text", 1, "A cat."),
        ("text", 0, "Its colour?"), ("text", 1, "Red."),
    ]  # fmt: skip
    (picture,) = packed["image_tensor_list"]
    assert picture.shape == (3, 28, 56) and (picture[0] == 255).all()
    assert packed["num_tokens"] == 8 + sum(map(len, packed["text_ids_list"]))
    assert all(step["enable_cfg"] == 0 for step in packed["sequence_plan"])


def test_a_picture_that_no_turn_names_stands_in_front_and_text_alone_has_none(
    tmp_path: Path,
) -> None:
    data = conversations(
        tmp_path,
        talk(("human", "q"), ("gpt", "a"), image="clear.png"),
        talk(("human", "q"), ("gpt", "a")),
    )
    plans = [steps(packed) for packed in itertools.islice(data, 2)]
    alone = [("text", 0, "q"), ("text", 1, "a")]
    assert sorted(map(len, plans)) == [2, 3]
    assert max(plans, key=len) == [("vit_image", 0, ""), *alone] and min(plans, key=len) == alone
    pictures = [one["image_tensor_list"] for one in itertools.islice(data, 2)]
    (picture,) = max(pictures, key=len)
    assert (picture == 255).all(), "transparent pixels lie on white"


def test_every_conversation_comes_once_an_epoch(tmp_path: Path) -> None:
    rows = [talk(("human", f"q{number}"), ("gpt", "a")) for number in range(7)]
    data = conversations(tmp_path, *rows)
    for _ in range(2):
        asked = [steps(packed)[0][2] for packed in itertools.islice(data, 7)]
        assert sorted(asked) == [f"q{number}" for number in range(7)]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (talk(("system", "s"), ("gpt", "a")), "from is 'system'; allowed are human and gpt"),
        (talk(("human", "q")), "nothing to learn"),
        (talk(("human", "q"), ("gpt", "")), "nothing to learn"),
        (talk(("human", "q"), ("gpt", "a"), image="list.jsonl"), "cannot be decoded"),
    ],
)
def test_a_conversation_that_teaches_nothing_is_refused(
    tmp_path: Path, row: dict[str, Any], message: str
) -> None:
    with pytest.raises(CorpusError, match=message):
        next(iter(conversations(tmp_path, row)))


def test_lists_and_folders_of_pictures_come_in_pairs(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"2 folders .* for 1 lists"):
        BagelConversations("q", Picture(14), Words(), ["a", "b"], ["c.jsonl"])


# --- OmniGen2


class Processor:
    """`OmniGen2ImageProcessor`: remembers what it was asked."""

    def preprocess(self, image: Image.Image, max_pixels: int, max_side_length: int) -> Any:
        return np.asarray(image), max_pixels, max_side_length


def test_a_sample_is_what_omnigen2_collates(corpus: str) -> None:
    for sample in first_samples(corpus, "edge"):
        fields = to_omnigen2(sample, Words(), Processor(), system=SYSTEM, limits=SizeLimits(7, 8))
        picture, target = sample.pictures()
        assert set(fields) == {
            "task_type", "instruction", "input_images_path", "input_images", "output_image",
            "output_image_path",
        }  # fmt: skip
        assert fields["instruction"] == f"system:{SYSTEM}|user:{sample.instruction}"
        ((image, pixels, side),) = fields["input_images"]
        assert np.array_equal(image, np.asarray(picture)) and (pixels, side) == (7, 2048)
        image, pixels, side = fields["output_image"]
        assert np.array_equal(image, np.asarray(target)) and (pixels, side) == (8, 2048)
        assert sample.key in fields["output_image_path"]


def test_guidance_leaves_instruction_and_picture_out(corpus: str) -> None:
    (sample,) = first_samples(corpus, number=1)
    fields = to_omnigen2(
        sample, Words(), Processor(), system=SYSTEM, drop_instruction=True, drop_picture=True
    )
    assert fields["instruction"] == f"system:{SYSTEM}|user:"
    assert fields["input_images"] is None and fields["input_images_path"] is None
    assert fields["output_image"] is not None


def test_sgts_omnigen2_shows_the_picture_to_the_text_encoder(corpus: str) -> None:
    (sample,) = first_samples(corpus, number=1)

    def qwen(text: str, images: list[Image.Image], padding: bool, return_tensors: str) -> Any:
        assert text.count("<|image_pad|>") == len(images) == 1
        assert text.endswith("<|im_start|>assistant\n") and padding and return_tensors == "pt"
        assert np.array_equal(np.asarray(images[0]), np.asarray(sample.pictures()[0]))
        return {"input_ids": 1, "attention_mask": 2, "pixel_values": 3, "image_grid_thw": 4}

    fields = to_sgt_omnigen2(sample, qwen, Processor(), system=SYSTEM)
    assert sample.instruction in fields["instruction"]
    assert fields["task_type"] != "sft"
    tensors = [fields[name] for name in ("input_ids", "attention_mask", "pixel_values")]
    assert [*tensors, fields["image_grid_thw"]] == [1, 2, 3, 4]
    assert "labels" not in fields
