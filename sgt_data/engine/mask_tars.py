"""Tars in SA-1B's own form as the stages make them: pictures in, their masks by an annotator out.

sa_000000.tar               KEY.jpg and KEY.json of each picture, as Meta's tars have them
quarantine/sa_000000.jsonl  pictures that could not be annotated, each with its reason
receipts/sa_000000.json     SHA-256, bytes and counts: the commit, written last
"""

from __future__ import annotations

import io
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import orjson

from sgt_data.annotators.base import Annotator, Setup
from sgt_data.annotators.batching import role
from sgt_data.bounded_json import loads_bounded
from sgt_data.corpus.lost_files import size_problems
from sgt_data.corpus.shard import (
    append_member,
    end_tar,
    file_digest,
    ledger_bytes,
)
from sgt_data.engine.slice_tasks import SliceTask
from sgt_data.engine.stage_times import COMMIT, ENCODE, Stopwatch
from sgt_data.engine.stages import (
    AnnotateStage,
    FinishedShard,
    ShardTask,
    Stages,
    shards_to_do,
)
from sgt_data.errors import CorpusError, InputError, SourceError
from sgt_data.files.read_ahead import read_ahead, threads_for
from sgt_data.files.reading import list_files, read_bytes
from sgt_data.files.urls import join
from sgt_data.files.writing import write_atomic
from sgt_data.foreign_errors import in_words
from sgt_data.pictures.decode_source import MAX_PIXELS, inspect, prepare
from sgt_data.pictures.size_rule import AsStored
from sgt_data.records import QuarantineRow, RawInput, RawShard
from sgt_data.sources.fetch_input import fetched
from sgt_data.sources.folder import FolderSource

SOURCE = "pictures"
"""Name of the source in keys and ledgers."""

TAR_FOLDER = "masks"
"""Stands for the one folder of tars where a corpus has a folder per proxy."""

_RECEIPTS = "receipts"
_JPEG = b"\xff\xd8\xff"
_QUALITY = 95


@dataclass(frozen=True, slots=True)
class MaskRecipe:
    """All that makes mask tars out of pictures; it travels to every worker.

    Attributes:
        folder: the pictures.
        annotator: draws the masks.
        setup: how it runs.
        pictures_per_tar: at most; all tars but the last have so many.
    """

    folder: FolderSource
    annotator: Annotator
    setup: Setup
    pictures_per_tar: int


def mask_stages(recipe: MaskRecipe, root: str) -> Stages:
    """The stages that make tars with masks.

    Args:
        recipe: how they are made.
        root: absolute URL of the folder for the tars.
    """
    annotator = recipe.annotator
    return Stages(
        partial(_read, recipe),
        AnnotateStage(
            partial(_needed, annotator), {annotator.name: recipe.setup}, AsStored(), MAX_PIXELS
        ),
        partial(_finish, recipe, root),
        recipe.pictures_per_tar,
        root,
    )


def tar_name(shard: str) -> str:
    """`sa_000007` from the shard `pictures-00007`."""
    return f"sa_{_number(shard):06d}"


def _number(shard: str) -> int:
    return int(shard.rpartition("-")[2])


def ledger_path(tar: str) -> str:
    """Path of the quarantine ledger of a tar, below the folder of the tars."""
    return f"quarantine/{tar}.jsonl"


def read_tar_receipts(root: str) -> dict[str, dict[str, Any]]:
    """Receipts of the tars in a folder, by the tar's name.

    Raises:
        CorpusError: a receipt is damaged.
    """
    folder = join(root, _RECEIPTS)
    names = list(list_files(folder))

    def read(name: str) -> dict[str, Any]:
        place = join(folder, name)
        try:
            receipt: dict[str, Any] = loads_bounded(read_bytes(place))
        except (orjson.JSONDecodeError, SourceError) as why:
            raise CorpusError(f"{place} is no receipt: {in_words(why)}") from why
        return receipt

    receipts = read_ahead(read, names, threads_for(root))
    return {
        name.removesuffix(".json"): receipt for name, receipt in zip(names, receipts, strict=True)
    }


def lost_tars(root: str, receipts: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """The tars whose files are missing, or of another size than their receipts state.

    Args:
        root: absolute URL of the folder of the tars.
        receipts: by the tar's name.

    Returns:
        By the tar's name: what is wrong with its files.

    Raises:
        SourceError: the folder cannot be listed at present.
    """
    sizes = list_files(root)
    lost = {}
    for name, receipt in receipts.items():
        paths = {"tar": f"{name}.tar", "quarantine": ledger_path(name)}
        if problems := size_problems(paths, sizes, receipt):
            lost[name] = problems
    return lost


def _needed(annotator: Annotator, source: str, folders: object) -> tuple[Annotator, ...]:
    return (annotator,)


def _read(recipe: MaskRecipe, task: SliceTask) -> Iterator[ShardTask]:
    """The shards of a slice, all pictures as JPEGs."""
    for shard in shards_to_do(task, recipe.folder, recipe.pictures_per_tar):
        inputs = tuple(_as_jpeg(fetched(raw)) for raw in shard.raw.inputs)
        yield replace(shard, raw=replace(shard.raw, inputs=inputs))


def _as_jpeg(raw: RawInput) -> RawInput:
    """The input with its picture as a JPEG: the file itself if it is one."""
    if raw.problem or raw.picture.startswith(_JPEG):
        return raw
    try:
        picture = prepare(inspect(raw.picture), AsStored(), "convert")
    except InputError as why:
        return replace(raw, problem=str(why))
    return replace(raw, picture=picture.jpeg(_QUALITY, "4:4:4"))


def _finish(recipe: MaskRecipe, root: str, shard: ShardTask) -> Generator[int, None, FinishedShard]:
    """Write the tar of a shard, its ledger, and its receipt last."""
    watch = Stopwatch()
    tar, ledger, receipt = _encode(recipe, shard.raw)
    watch.lap(ENCODE)
    yield len(shard.raw.inputs)
    watch.go_on()
    name = tar_name(shard.raw.name)
    write_atomic(join(root, f"{name}.tar"), tar)
    write_atomic(join(root, ledger_path(name)), ledger)
    write_atomic(join(root, f"{_RECEIPTS}/{name}.json"), orjson.dumps(receipt))
    watch.lap(COMMIT)
    return FinishedShard((receipt,), times=watch.taken())


def _encode(recipe: MaskRecipe, shard: RawShard) -> tuple[bytes, bytes, dict[str, Any]]:
    """Tar, ledger and receipt of a shard."""
    layer = role(recipe.annotator.name)
    out = io.BytesIO()
    quarantine, masks, samples = [], 0, 0
    first_id = _number(shard.name) * recipe.pictures_per_tar + 1  # pictures count from 1 on
    for image_id, raw in enumerate(shard.inputs, first_id):
        reason = raw.problem or raw.layer_problems.get(layer)
        if reason:
            quarantine.append(
                QuarantineRow(raw.key, shard.source, shard.slice, raw.member, "damaged", reason)
            )
            continue
        stem = raw.key.removeprefix(f"{SOURCE}_")
        annotation = orjson.loads(raw.layer_bytes[layer])
        image = {"image_id": image_id, "file_name": f"{stem}.jpg"}
        document = {
            "image": annotation["image"] | image,
            "annotations": annotation["annotations"],
        }
        append_member(out, f"{stem}.jpg", raw.picture)
        append_member(out, f"{stem}.json", orjson.dumps(document))
        masks += len(annotation["annotations"])
        samples += 1
    tar, ledger = end_tar(out), ledger_bytes(quarantine)
    receipt = {
        "version": 1,
        "tar": file_digest(tar),
        "quarantine": file_digest(ledger),
        "inputs": len(shard.inputs),
        "samples": samples,
        "damaged": len(quarantine),
        "masks": masks,
    }
    return tar, ledger, receipt
