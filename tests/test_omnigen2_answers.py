"""Conversations as items of OmniGen2's training, with a real processor of Qwen2.5-VL."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import torch
from making import jpeg
from PIL import Image
from tiny_models import tiny_qwen_processor

from sgt_data.annotators.torchvision_operators import provide_torchvision_operators
from sgt_data.errors import CorpusError, RequestError
from sgt_data.stream.conversations import Conversation
from sgt_data.trainers.omnigen2 import (
    QWEN_MAX_PIXELS,
    QWEN_MIN_PIXELS,
    SizeLimits,
    to_omnigen2,
    to_sgt_omnigen2,
)

SYSTEM = "Answer."
READ_BY_THE_COLLATOR = {
    "task_type", "input_ids", "attention_mask", "pixel_values", "image_grid_thw", "input_images",
    "input_images_path", "output_image", "output_image_path", "answer", "labels", "id", "category",
    "dataset",
}  # fmt: skip
"""Every key that `OmniGen2Collator` of SGT's release asks an item for."""


@pytest.fixture(scope="module")
def processor(tmp_path_factory: pytest.TempPathFactory) -> Any:
    provide_torchvision_operators()
    transformers = pytest.importorskip("transformers")
    folder = tiny_qwen_processor(tmp_path_factory.mktemp("qwen"))
    return transformers.AutoProcessor.from_pretrained(
        folder, min_pixels=QWEN_MIN_PIXELS, max_pixels=QWEN_MAX_PIXELS
    )


class PictureProcessor:
    """Stands for `OmniGen2ImageProcessor`."""

    def preprocess(self, image: Image.Image, max_pixels: int, max_side_length: int) -> Any:
        return np.asarray(image), max_pixels, max_side_length


def conversation(*texts: str, picture: bytes | None = None, **fields: Any) -> Conversation:
    speakers = ("human", "gpt")
    turns = tuple(
        {"from": speakers[number % 2], "value": text} for number, text in enumerate(texts)
    )
    return Conversation("vqa", "q1", "/questions/train.jsonl", turns, picture, fields)


def item_of(given: Conversation, processor: Any, **options: Any) -> dict[str, Any]:
    return to_sgt_omnigen2(given, processor, PictureProcessor(), system=SYSTEM, **options)


def prompt(*turns: str) -> str:
    roles = ("user", "assistant")
    spoken = "".join(
        f"<|im_start|>{roles[number % 2]}\n{text}<|im_end|>\n" for number, text in enumerate(turns)
    )
    return f"<|im_start|>system\n{SYSTEM}<|im_end|>\n{spoken}<|im_start|>assistant\n"


PICTURE = "<|vision_start|><|image_pad|><|vision_end|>"


def test_an_answer_has_what_the_collator_reads(processor: Any) -> None:
    data = jpeg(96, 64, 3)
    given = conversation("<image>\nHow many?", "two", picture=data, category="c", dataset="d")
    item = item_of(given, processor, limits=SizeLimits(7, 8, 9))
    assert set(item) == READ_BY_THE_COLLATOR | {"instruction"}
    assert item["instruction"] == prompt(f"{PICTURE}How many?")
    assert (item["task_type"], item["id"], item["answer"]) == ("sft", "q1", "two")
    assert (item["category"], item["dataset"]) == ("c", "d")
    assert item["output_image"] is None and item["output_image_path"] is None
    ((pixels, area, side),) = item["input_images"]
    assert np.array_equal(pixels, np.asarray(Image.open(io.BytesIO(data)))) and (area, side) == (
        7,
        9,
    )
    assert item["labels"].tolist() == [processor.tokenizer("two")["input_ids"]]
    assert item["input_ids"].shape == item["attention_mask"].shape and len(item["input_ids"]) == 1


def test_the_text_encoder_is_shown_the_picture_within_its_area(processor: Any) -> None:
    pad = processor.tokenizer.convert_tokens_to_ids("<|image_pad|>")
    for width, height in ((96, 64), (1200, 1200)):
        item = item_of(conversation("What?", "it", picture=jpeg(width, height, 1)), processor)
        _, rows, columns = item["image_grid_thw"][0].tolist()
        assert QWEN_MIN_PIXELS <= rows * columns * 14 * 14 <= QWEN_MAX_PIXELS
        assert len(item["pixel_values"]) == rows * columns
        assert (item["input_ids"] == pad).sum() == rows * columns // 4 <= 1280


def test_a_conversation_without_picture_has_no_place_for_one(processor: Any) -> None:
    item = item_of(conversation("Why?", "because"), processor)
    assert item["instruction"] == prompt("Why?")
    absent = ("pixel_values", "image_grid_thw", "input_images", "input_images_path")
    assert [item[name] for name in absent] == [None] * 4
    assert processor.tokenizer.decode(item["input_ids"][0]) == item["instruction"]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("Why?",), (f"{PICTURE}Why?",)),
        (("Why <image> so?",), (f"Why {PICTURE} so?",)),
        (("<image>\n<image>\nWhy?",), (f"{PICTURE}Why?",)),
        (("Hello.", "Hi.", "<image>\nWhy?"), ("Hello.", "Hi.", f"{PICTURE}Why?")),
        (("<image>\nWhy?", "So.", "<image>\nAnd?"), (f"{PICTURE}Why?", "So.", "And?")),
    ],
)
def test_the_picture_has_one_place_and_earlier_turns_are_the_context(
    texts: tuple[str, ...], expected: tuple[str, ...], processor: Any
) -> None:
    item = item_of(conversation(*texts, "the answer", picture=jpeg(64, 64, 1)), processor)
    assert item["instruction"] == prompt(*expected)
    assert item["answer"] == "the answer"
    text = processor.tokenizer.decode(item["labels"][0])
    assert text == "the answer"


def test_what_cannot_be_learnt_is_named(processor: Any) -> None:
    speaks_first = conversation("Hello", "Hi")
    wrong = Conversation("vqa", "q7", "/a.jsonl", speaks_first.turns[::-1], None, {})
    with pytest.raises(CorpusError, match=r"/a.jsonl, conversation 'q7': found turns from \['gpt'"):
        item_of(wrong, processor)
    with pytest.raises(CorpusError, match=r"questions of human, each with an answer of gpt"):
        item_of(conversation("Hello", "Hi", "And?"), processor)
    with pytest.raises(CorpusError, match="the last answer is empty"):
        item_of(conversation("Hello", ""), processor)
    with pytest.raises(CorpusError, match=r"its picture: "):
        item_of(conversation("Hello", "Hi", picture=b"\xff\xd8\xffno"), processor)
    with pytest.raises(CorpusError, match=r"tokens of prompt and 3072 of answer; allowed"):
        item_of(conversation("Hello", "a" * 3072), processor)
    assert item_of(conversation("Hello", "a" * 3072), processor, max_tokens=4000)


def test_published_omnigen2_learns_no_answers(processor: Any) -> None:
    with pytest.raises(RequestError, match=r"component vqa: found conversations.*to_sgt_omnigen2"):
        to_omnigen2(
            conversation("Hello", "Hi"),  # type: ignore[arg-type]
            processor.tokenizer, PictureProcessor(), system=SYSTEM,
        )  # fmt: skip


def test_labels_are_whole_numbers_a_loss_can_read(processor: Any) -> None:
    item = item_of(conversation("Hello", "Hi"), processor)
    assert item["labels"].dtype == item["input_ids"].dtype == torch.int64
