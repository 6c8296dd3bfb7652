"""Pictures without annotation -> tars in SA-1B's own form, masks by an annotator.

    sa_000000.tar           KEY.jpg and KEY.json of each picture, as Meta's tars have them
    quarantine/sa_000000.jsonl
    receipts/sa_000000.json SHA-256, bytes and counts: the commit, written last
    annotate.json           what makes it one build

The same work as a build's: resumable, the same bytes whoever does it, every picture accounted for.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import orjson

from sgt_data.annotators.base import Annotator, Setup
from sgt_data.annotators.batching import role
from sgt_data.corpus.identity import codec_versions
from sgt_data.corpus.shard import (
    append_member,
    end_tar,
    file_digest,
    ledger_bytes,
)
from sgt_data.engine.build import Progress, engine_for
from sgt_data.engine.plan import SliceTask
from sgt_data.engine.tasks import (
    Outcome,
    OutputRefused,
    ShardOutcome,
    ShardTask,
    SliceFailure,
)
from sgt_data.errors import (
    CorpusError,
    InputError,
    RequestError,
    SourceError,
    StorageError,
)
from sgt_data.files.claim import Claim, claim
from sgt_data.files.reading import list_files, read_bytes
from sgt_data.files.urls import absolute, join
from sgt_data.files.writing import sweep_unfinished, write_atomic
from sgt_data.pictures.prepare import MAX_PIXELS, inspect, prepare
from sgt_data.pictures.size_rule import AsStored, SizeRule
from sgt_data.records import QuarantineRow, RawInput, RawShard
from sgt_data.sources.base import Source
from sgt_data.sources.fetch import fetched
from sgt_data.sources.folder import FolderSource

_HEADER, _RECEIPTS, _SOURCE = "annotate.json", "receipts", "pictures"
_JPEG = b"\xff\xd8\xff"
_QUALITY = 95


@dataclass(slots=True)
class AnnotationReport:
    """What came of it: totals over all tars (inputs, samples, damaged, masks, bytes), tars written
    now and found, slices that could not be worked on."""

    output: str
    totals: dict[str, int] = field(default_factory=dict)
    written: int = 0
    found: int = 0
    failures: list[SliceFailure] = field(default_factory=list)

    @property
    def succeeded(self) -> bool:
        return not self.failures


@dataclass(frozen=True, slots=True)
class MaskJob:
    """SA-1B pairs instead of a corpus's samples."""

    folder: FolderSource
    annotator: Annotator
    setups: Mapping[str, Setup]
    shard_samples: int
    image_ids: Mapping[str, int]

    @property
    def pictures(self) -> tuple[SizeRule, int]:
        return AsStored(), MAX_PIXELS

    def source(self, name: str) -> Source:
        return self.folder

    def annotators_for(self, source: str, folders: Collection[str]) -> tuple[Annotator, ...]:
        return (self.annotator,)

    def with_extras(self, raw: RawShard, folders: Collection[str]) -> RawShard:
        return replace(raw, inputs=tuple(_as_jpeg(fetched(one)) for one in raw.inputs))

    def finish(self, task: ShardTask, root: str) -> Outcome:
        began = time.monotonic()
        raw = task.raw
        out = io.BytesIO()
        ledger, masks, written = [], 0, 0
        for one in raw.inputs:
            why = one.problem or one.layer_problems.get(role(self.annotator.name))
            if why:
                ledger.append(
                    QuarantineRow(one.key, raw.source, raw.slice, one.member, "damaged", why)
                )
                continue
            stem = one.key.removeprefix(f"{_SOURCE}_")
            said = orjson.loads(one.layer_bytes[role(self.annotator.name)])
            image = {"image_id": self.image_ids[one.member], "file_name": f"{stem}.jpg"}
            document = {"image": said["image"] | image, "annotations": said["annotations"]}
            append_member(out, f"{stem}.jpg", one.picture)
            append_member(out, f"{stem}.json", orjson.dumps(document))
            masks += len(said["annotations"])
            written += 1
        tar, rows = end_tar(out), ledger_bytes(ledger)
        receipt: dict[str, Any] = {
            "version": 1,
            "tar": file_digest(tar),
            "quarantine": file_digest(rows),
            "inputs": len(raw.inputs),
            "samples": written,
            "damaged": len(ledger),
            "masks": masks,
        }
        name = _tar_name(raw.name)
        try:
            write_atomic(join(root, f"{name}.tar"), tar)
            write_atomic(join(root, f"quarantine/{name}.jsonl"), rows)
            write_atomic(join(root, f"{_RECEIPTS}/{name}.json"), orjson.dumps(receipt))
        except StorageError as why:
            return OutputRefused(str(why))
        seconds = time.monotonic() - began
        return ShardOutcome(raw.name, (receipt,), seconds, np.empty(0, np.uint64))


def annotate_pictures(
    pictures: str,
    output: str,
    annotator: Annotator,
    *,
    pictures_per_tar: int = 256,
    address: str | None = None,
    workers: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> AnnotationReport:
    """Write SA-1B-format tars of a folder's pictures, masks by `annotator`.

    JPEGs are passed on byte for byte, EXIF orientation and all (masks belong to the stored pixels);
    other formats become upright JPEGs. What is committed is kept; the rest is done.

    Args:
        pictures: fsspec URL of a folder (`.jpg`, `.jpeg`, `.png`, `.webp`, at any depth).
        output: fsspec URL of the folder for the tars.
        annotator: what draws the masks (`annotators.sam.SamAnnotator`).
        pictures_per_tar: at most.
        address: of a Ray cluster; None starts one on this machine.
        workers: CPUs of the Ray started here (None: all); 0 works in this process, without Ray.
        on_progress: called after every tar.

    Raises:
        RequestError: pictures, annotator or output do not allow it; nothing was done.
    """
    if annotator.layer != "entities":
        raise RequestError(f"annotator {annotator.name}: it draws no masks")
    root = absolute(output)
    folder = FolderSource(name=_SOURCE, pictures=pictures)
    inventory = folder.inventory(pictures_per_tar)
    members = {name: number for number, name in enumerate(inventory.identity, 1)}
    report = AnnotationReport(root)
    with engine_for(address, workers) as engine:
        setup = engine.set_up(annotator)
        _claim(root, annotator.identity(setup), dict(inventory.identity), pictures_per_tar)
        sweep_unfinished(root)
        receipts = _receipts(root)
        tasks = [
            SliceTask(piece, ("masks",))
            for piece in inventory.slices
            if _tar_name(piece.name) not in receipts
        ]
        report.found = len(receipts)
        job = MaskJob(folder, annotator, {annotator.name: setup}, pictures_per_tar, members)
        expected, done, nbytes = sum(task.slice.pictures for task in tasks), 0, 0
        for outcome in engine.run(tasks, job, root) if tasks else ():
            if isinstance(outcome, OutputRefused):
                raise StorageError(f"{outcome.message}; what is committed is kept")
            if isinstance(outcome, SliceFailure):
                report.failures.append(outcome)
                continue
            (receipt,) = outcome.receipts
            receipts[_tar_name(outcome.shard)] = receipt
            report.written += 1
            done += receipt["inputs"]
            nbytes += receipt["tar"]["bytes"]
            if on_progress:
                on_progress(Progress(done, expected, True, report.written, nbytes))
    report.totals = {
        name: sum(receipt[name] for receipt in receipts.values())
        for name in ("inputs", "samples", "damaged", "masks")
    } | {"bytes": sum(receipt["tar"]["bytes"] for receipt in receipts.values())}
    return report


def _tar_name(shard: str) -> str:
    """`sa_000007` from the shard `pictures-00007`."""
    return f"sa_{int(shard.rpartition('-')[2]):06d}"


def _as_jpeg(raw: RawInput) -> RawInput:
    """The input with its picture as a JPEG: the file itself if it is one."""
    if raw.problem or raw.picture.startswith(_JPEG):
        return raw
    try:
        picture = prepare(inspect(raw.picture), AsStored(), "convert")
    except InputError as why:
        return replace(raw, problem=str(why))
    return replace(raw, picture=picture.jpeg(_QUALITY, "4:4:4"))


def _claim(root: str, annotator: dict[str, Any], files: dict[str, str], per_tar: int) -> None:
    """Note what makes this build, or check that the output is of the same one."""
    identity = {
        "annotator": annotator,
        "files": files,
        "pictures_per_tar": per_tar,
        "codecs": codec_versions(),
    }
    claim(root, Claim(_HEADER, identity, "tars of this command"), remedy="use another --output")


def _receipts(root: str) -> dict[str, dict[str, Any]]:
    folder = join(root, _RECEIPTS)
    found = {}
    for name in list_files(folder):
        try:
            found[name.removesuffix(".json")] = orjson.loads(read_bytes(join(folder, name)))
        except (orjson.JSONDecodeError, SourceError) as why:
            raise CorpusError(f"{join(folder, name)} is no receipt: {why}") from why
    return found
