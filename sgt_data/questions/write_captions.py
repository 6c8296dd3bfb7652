"""Write captions of a corpus' pictures in LLaVA's form, with the picture in the answer, or as
answers to a question about it.

OUTPUT/
  captions.json              which captions these are, how many, and what was left out
  images/<key>.jpg|png       what is drawn, as the corpus holds it
  train|val|test.jsonl       a line per caption, by key

The lists are written last: where there is a list, its pictures are there.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from sgt_data import checks
from sgt_data.corpus.identity import in_words
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.files.claim import Claim, claim
from sgt_data.files.output_place import CAPTIONS_MARKER, check_output
from sgt_data.files.outside_json import parse_json, unpacked
from sgt_data.files.reading import list_files, read_bytes
from sgt_data.files.urls import Location, join, plain
from sgt_data.files.writing import write_atomic
from sgt_data.progress import OnProgress, Progress, ProgressTo
from sgt_data.progress_display import shown
from sgt_data.questions.caption_plan import CaptionPlan
from sgt_data.questions.caption_tasks import only_tasks
from sgt_data.questions.drawn_as import PICTURE, DrawnAs, drawn_as
from sgt_data.questions.match_captions import CaptionedPicture, match_captions
from sgt_data.questions.read_captions import read_captions
from sgt_data.questions.splits import exact_shares
from sgt_data.redaction import without_secrets
from sgt_data.result import Result
from sgt_data.subsets.open_corpus import open_corpus

IMAGES = "images"

_RESULTS = ("written", "pictures", "pictures_without_caption", "splits", "left_out")
_SORTED = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS


@dataclass(slots=True, kw_only=True, repr=False)
class CaptionsReport(Result):
    """What came of the captions of a corpus. Every caption is written or counted in `left_out`.

    Attributes:
        output: URL of the folder.
        draws: `picture`, or the proxy whose targets are drawn; None where captions are answers.
        captions: captions of the file.
        written: captions that were written.
        pictures: pictures that have a caption that was written.
        pictures_without_caption: pictures of the corpus that have no caption, or none of the tasks.
        images: picture files that were written now.
        nbytes: bytes of these files.
        splits: numbers of captions by split and task.
        left_out: how many captions were not written, by reason.
    """

    output: str
    draws: str | None
    captions: int
    written: int
    pictures: int
    pictures_without_caption: int
    images: int
    nbytes: int
    splits: Mapping[str, Mapping[str, int]]
    left_out: Mapping[str, int]


def write_captions(
    corpus: Location,
    captions: Location,
    output: Location,
    plan: CaptionPlan | None = None,
    *,
    progress: ProgressTo = False,
) -> CaptionsReport:
    """Write captions of a finished corpus, or go on where this was interrupted.

    Args:
        corpus: fsspec URL.
        captions: fsspec URL of a JSON file in the form of COCO's captions; a caption belongs to the
            picture whose name in its source is that of the file.
        output: fsspec URL of a folder.
        plan: what is drawn; by default the pictures themselves.
        progress: True shows a bar; a function is called after every picture.

    Raises:
        RequestError: the corpus is not complete or lacks what is drawn, the file has another
            form, or no caption is of a task that was named.
        InputError: the file is no JSON.
        CorpusMismatch: output holds something else.
        CorpusError: a sample is damaged.
        StorageError: output cannot be written.
    """
    plan = CaptionPlan() if plan is None else checks.instance_of("plan", plan, CaptionPlan)
    with shown(progress, "pictures") as on_progress:
        return _write(plain(corpus), plain(captions), plain(output), plan, on_progress)


def _write(
    corpus: str, file: str, output: str, plan: CaptionPlan, on_progress: OnProgress
) -> CaptionsReport:
    on_progress(Progress(0, phase="opening the corpus"))
    opened = open_corpus(corpus)
    opened.finished()
    root = check_output(output, [opened.url, file], marker=CAPTIONS_MARKER)
    drawing = drawn_as(opened.header.manifest["proxies"], plan.draw)
    proxy = max(drawing.proxies, key=lambda name: sum(opened.samples_per_shard(name)))
    on_progress(Progress(0, phase="reading captions"))
    data = read_bytes(file)
    identity = _identity(opened, drawing, proxy, plan) | {
        "captions": {"url": without_secrets(file), "sha256": hashlib.sha256(data).hexdigest()}
    }
    what = Claim(CAPTIONS_MARKER, identity, "captions", _RESULTS, in_words)
    claim(root, what, remedy="choose another folder")
    read = read_captions(parse_json(unpacked(data, file), file), file)
    if plan.tasks is not None:
        read = only_tasks(read, plan.tasks)
    matched = match_captions(opened, proxy, read, plan)
    results = matched.counts(tuple(exact_shares(plan.shares)))
    write_atomic(
        join(root, CAPTIONS_MARKER), orjson.dumps({**identity, **results}, option=_SORTED) + b"\n"
    )
    images, nbytes = _write_images(opened, proxy, drawing, matched.pictures, root, on_progress)
    for split in exact_shares(plan.shares):
        of_split = [picture for picture in matched.pictures if picture.split == split]
        write_atomic(join(root, f"{split}.jsonl"), b"".join(_lines(of_split, drawing, plan.ask)))
    return CaptionsReport(
        complete=True,
        notes=[
            f"{split} has no captions" for split, tasks in results["splits"].items() if not tasks
        ],
        output=root,
        draws=drawing.draws if plan.ask is None else None,
        captions=read.captions,
        images=images,
        nbytes=nbytes,
        **results,
    )


def _identity(corpus: Corpus, drawing: DrawnAs, proxy: str, plan: CaptionPlan) -> dict[str, Any]:
    """All but the file that decides which captions are written."""
    return {
        "format": "sgt_data captions",
        "version": 1,
        "corpus": {
            "url": without_secrets(corpus.url),
            "name": corpus.header.name,
            "proxy": proxy,
            "fingerprint": corpus.header.fingerprints[proxy],
            "subset": corpus.header.identity.get("subset"),
        },
        **({"draws": drawing.draws} if plan.ask is None else {"ask": plan.ask}),
        **({} if plan.tasks is None else {"tasks": sorted(set(plan.tasks))}),
        "source": plan.source,
        "seed": plan.seed,
        "shares": {name: float(share) for name, share in exact_shares(plan.shares).items()},
    }


def _write_images(
    corpus: Corpus,
    proxy: str,
    drawing: DrawnAs,
    captioned: Sequence[CaptionedPicture],
    root: str,
    on_progress: OnProgress,
) -> tuple[int, int]:
    """Write what is drawn where the folder lacks it; returns the number of files and bytes."""
    folder = join(root, IMAGES)
    sizes = list_files(folder)
    written = nbytes = done = 0
    by_shard: dict[str, list[CaptionedPicture]] = defaultdict(list)
    for picture in captioned:
        by_shard[picture.shard].append(picture)
    for shard, pictures in by_shard.items():
        for picture in pictures:
            sample = corpus.sample(proxy, shard, picture.key)
            data = sample.input if drawing.draws == PICTURE else sample.target
            name = f"{picture.key}.{picture.extension}"
            if sizes.get(name) != len(data):
                write_atomic(join(folder, name), data)
                written += 1
                nbytes += len(data)
            done += 1
            on_progress(Progress(done, len(captioned), phase="writing pictures"))
    return written, nbytes


def _lines(
    pictures: Sequence[CaptionedPicture], drawing: DrawnAs, ask: str | None
) -> Iterator[bytes]:
    """Captions as LLaVA's lines."""
    for picture in pictures:
        for caption in picture.captions:
            turns = (f"{drawing.request}{caption.text}", "<image>")
            if ask is not None:
                turns = (f"<image>\n{ask}", caption.text)
            line = {
                "id": f"{picture.key}-caption-{caption.number}",
                "image": f"{IMAGES}/{picture.key}.{picture.extension}",
                "conversations": [
                    {"from": speaker, "value": text}
                    for speaker, text in zip(("human", "gpt"), turns, strict=True)
                ],
                "key": picture.key,
                "task": caption.task,
                "things": caption.things,
                "relation": caption.relation,
                **({} if ask is not None else {"draws": drawing.draws}),
            }
            yield orjson.dumps(line) + b"\n"
