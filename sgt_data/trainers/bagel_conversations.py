"""A data set of conversations for the registry of BAGEL's training code.

It takes the place of BAGEL's `SftJSONLIterableDataset` (`vlm_sft`) where lists or pictures lie on
an object store, where no conversation may be left over, or where a run must go on exactly.

data/dataset_info.py
    from sgt_data.trainers.bagel_conversations import BagelConversations
    DATASET_REGISTRY = {..., 'sgt_questions': BagelConversations}
    DATASET_INFO = {..., 'sgt_questions': {'questions': {
        'data_dir': 's3://bucket/questions', 'jsonl_path': 's3://bucket/questions/train.jsonl'}}}
data/configs/<yours>.yaml
    sgt_questions:
      dataset_names: [questions]
      image_transform_args: {image_stride: 14, max_image_size: 980, min_image_size: 378,
                             max_pixels: 2_007_040}
      is_mandatory: true
      num_used_data: [500000]        # conversations, one number per list
      weight: 1.0
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from PIL import Image

from sgt_data.errors import CorpusError, RequestError
from sgt_data.foreign_errors import in_words
from sgt_data.pictures.decode_source import MAX_PIXELS
from sgt_data.stream.conversations import PICTURE_WORD, Conversation
from sgt_data.stream.mixture_components import SINGLE, Shard, open_components
from sgt_data.stream.options import Reading
from sgt_data.trainers.bagel_group import BagelGroup, Reader, numbers_for, used_shards
from sgt_data.trainers.bagel_sample import PictureTransform, Tokenizer, plan_step, token_count
from sgt_data.value_text import cut

_LEARNT: Mapping[str, int] = {"human": 0, "gpt": 1}
"""By who speaks: whether the turn is learnt."""


class BagelConversations(BagelGroup):
    """Conversations for one of BAGEL's data set groups, without end; see `BagelGroup`."""

    def __init__(
        self,
        dataset_name: str,
        transform: PictureTransform,
        tokenizer: Tokenizer,
        data_dir_list: Sequence[str],
        jsonl_path_list: Sequence[str],
        num_used_data: Sequence[int] | None = None,
        local_rank: int = 0,
        world_size: int = 1,
        num_workers: int = 8,
        data_status: Mapping[int, int] | None = None,
    ) -> None:
        """
        Args:
            dataset_name: name of the group; each group has an order of its own.
            transform: applied to pictures to look at.
            tokenizer: makes tokens of turns.
            data_dir_list: fsspec URLs of the folders of pictures, one for each list.
            jsonl_path_list: fsspec URLs of lists in LLaVA's form.
            num_used_data: how many conversations of each list to use; a number above its size means
                all. A smaller number's conversations are among those of a larger one.
            local_rank: rank of this process, from 0.
            world_size: number of processes.
            num_workers: number of the DataLoader's workers; 0 counts as one.
            data_status: this rank's last count by worker, from `data_indexes`.

        Raises:
            RequestError: lists, folders, numbers and workers do not fit.
            CorpusError: a conversation is damaged, or its picture does not exist.
        """
        self.transform, self.tokenizer = transform, tokenizer
        if len(data_dir_list) != len(jsonl_path_list):
            raise RequestError(
                f"{dataset_name}: {len(data_dir_list)} folders (data_dir) for "
                f"{len(jsonl_path_list)} lists (jsonl_path)"
            )
        numbers = numbers_for(num_used_data, jsonl_path_list, dataset_name)
        shards = [
            shard
            for url, folder, number in zip(jsonl_path_list, data_dir_list, numbers, strict=True)
            for shard in used_shards(_shards(url, folder), number, url)
        ]
        reader = Reader(local_rank, world_size, max(1, num_workers), dict(data_status or {}))
        super().__init__(dataset_name, shards, reader)

    def packed(self, sample: Conversation) -> dict[str, Any]:
        return conversation_to_bagel(sample, self.tokenizer, self.transform)


def conversation_to_bagel(
    conversation: Conversation, tokenizer: Tokenizer, vit_transform: PictureTransform
) -> dict[str, Any]:
    """A conversation for BAGEL's `PackedDataset`, made anew for each call.

    The picture stands where the first turn of a human names it, or else in front; answers (`gpt`)
    are learnt. A picture with transparent pixels lies on white.

    Args:
        conversation: of a list in LLaVA's form.
        tokenizer: makes tokens of turns.
        vit_transform: applied to the picture.

    Raises:
        CorpusError: its picture cannot be decoded, somebody else speaks, or nothing is answered.
    """
    where = f"{conversation.source}, conversation {conversation.key}"
    picture = conversation.image
    tensors = [] if picture is None else [vit_transform(_decoded(picture, where))]
    texts: list[list[int]] = []
    plan: list[dict[str, Any]] = []
    for text, learnt in _parts(conversation, where):
        if text is None:
            plan.append(plan_step("vit_image"))
        elif tokens := list(tokenizer.encode(text)):
            texts.append(tokens)
            plan.append(plan_step("text", loss=learnt))
    if not any(step["loss"] for step in plan):
        raise CorpusError(f"{where}: no turn of gpt has a text, so there is nothing to learn")
    return {
        "image_tensor_list": tensors,
        "text_ids_list": texts,
        "num_tokens": sum(map(len, texts))
        + sum(token_count(tensor, vit_transform.stride) for tensor in tensors),
        "sequence_plan": plan,
    }


def _parts(conversation: Conversation, where: str) -> Iterator[tuple[str | None, int]]:
    """The parts of a conversation in their order: None for the picture, or a text, and 1 where it
    is learnt."""
    shown = conversation.image is None
    if not shown and not any(
        PICTURE_WORD in turn["value"] for turn in conversation.turns if turn.get("from") == "human"
    ):
        shown = True
        yield None, 0
    for turn in conversation.turns:
        speaker, text = turn.get("from"), turn["value"]
        if not isinstance(speaker, str) or speaker not in _LEARNT:
            raise CorpusError(f"{where}: from is {cut(speaker)}; allowed are human and gpt")
        if speaker == "gpt" or PICTURE_WORD not in text:
            yield text, _LEARNT[speaker]
            continue
        for number, part in enumerate(text.split(PICTURE_WORD)):
            if number and not shown:
                shown = True
                yield None, 0
            if part.strip():
                yield part.strip(), 0


def _decoded(data: bytes, where: str) -> Image.Image:
    """A picture as RGB, transparent pixels on white, as BAGEL reads it."""
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG", "PNG", "WEBP"]) as image:
            if image.width * image.height > MAX_PIXELS:
                raise CorpusError(
                    f"{where}: picture of {image.width}x{image.height} pixels; at most "
                    f"{MAX_PIXELS:,}"
                )
            if image.mode != "RGBA" and image.info.get("transparency") is None:
                return image.convert("RGB")
            clear = image.convert("RGBA")
            white = Image.new("RGB", clear.size, "white")
            white.paste(clear, mask=clear.getchannel("A"))
            return white
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as why:
        raise CorpusError(f"{where}: picture cannot be decoded: {in_words(why)}") from why


def _shards(url: str, images: str) -> Sequence[Shard]:
    components = open_components({url: SINGLE}, Reading(images=images), None, merged=True)
    return components[SINGLE].shards
