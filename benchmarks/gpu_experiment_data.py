"""The data of `gpu_experiment.py`: scenes, a corpus, questions and captions, by all cores, no Ray.

Scenes are drawn by a process per core. The corpus is built on the threads of one process, as a
machine without Ray does it. Questions and captions of each kind are written side by side.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from sgt_data.engine.build import build_corpus
from sgt_data.engine.cluster import IN_PROCESS
from sgt_data.manifest.manifest import load_manifest
from sgt_data.questions.caption_plan import CaptionPlan
from sgt_data.questions.splits import SHARES, exact_shares, split_of
from sgt_data.questions.write_captions import write_captions
from sgt_data.questions.write_questions import write_questions
from sgt_data.result import Result
from sgt_data.scenes.sample_identity import SampleIdentity
from sgt_data.scenes.write_samples import PICTURES_PER_TAR, draw_sample
from sgt_data.subsets.open_corpus import open_corpus
from sgt_data.subsets.population import read_population
from sgt_data.subsets.subset_file import write_subset_file
from sgt_data.subsets.subset_of_keys import subset_of_keys

_SHARD_SAMPLES = 128
_SPLIT_SEED = 0
_QUESTION = "What does the picture show?"


@dataclass(frozen=True, slots=True)
class Data:
    """What a model learns from.

    Attributes:
        drawn: subset file of the pictures of the training split, whose targets may be drawn.
        questions: folder of questions.
        captions: files of captions that ask for the picture, and for its class map.
        described: file of captions as answers to a question.
    """

    drawn: str
    questions: str
    captions: tuple[str, ...]
    described: str


def make_data(folder: Path, pictures: int, side: int, seed: int, processes: int | None) -> Data:
    """Draw scenes, build their corpus, and ask about them.

    Args:
        folder: a new folder.
        pictures: number of scenes.
        side: of a picture, pixels.
        seed: of the scenes.
        processes: processes that draw; None for one per core, where it pays. 1 works in this
            process alone.

    Raises:
        SystemExit: a part failed.
    """
    sample = SampleIdentity(pictures, seed, side, side, PICTURES_PER_TAR, "simple", ("coco",))
    draw_sample(folder / "sources", sample, processes=processes)
    corpus = str(folder / "corpus")
    coco = folder / "sources" / "coco"
    manifest = load_manifest(
        "experiment",
        [
            f"sources.coco.root={coco}",
            f"sources.coco.depth={folder}/sources/depth",
            f"pictures.min_side={side}",
            f"pictures.max_side={side}",
            f"shard_samples={_SHARD_SAMPLES}",
        ],
    )
    _check(build_corpus(manifest, corpus, cluster=IN_PROCESS))
    _write_texts(corpus, coco / "annotations" / "captions_train2017.json", folder, processes)
    drawn = str(folder / "training.subset.parquet")
    opened = open_corpus(corpus)
    keys = read_population(opened, opened.folders).keys.to_pylist()
    shares = exact_shares(SHARES)
    training = [key for key in keys if split_of(key, shares, _SPLIT_SEED) == "train"]
    write_subset_file(subset_of_keys(opened, training), drawn)
    return Data(
        drawn,
        str(folder / "questions"),
        tuple(str(folder / f"captions-{draws}" / "train.jsonl") for draws in ("picture", "map")),
        str(folder / "described" / "train.jsonl"),
    )


def _write_texts(corpus: str, captions: Path, folder: Path, processes: int | None) -> None:
    """Write the questions, and the captions of each kind."""
    plans = {
        "captions-picture": CaptionPlan(seed=_SPLIT_SEED),
        "captions-map": CaptionPlan(seed=_SPLIT_SEED, draw="semantic"),
        "described": CaptionPlan(seed=_SPLIT_SEED, ask=_QUESTION),
    }
    works: list[Callable[[], Result]] = [partial(write_questions, corpus, folder / "questions")]
    works += [
        partial(write_captions, corpus, captions, folder / name, plan)
        for name, plan in plans.items()
    ]
    if processes == 1:
        for work in works:
            _check(work())
        return
    with ProcessPoolExecutor(len(works), get_context("spawn")) as pool:
        for future in [pool.submit(work) for work in works]:
            _check(future.result())


def _check(result: Result) -> None:
    if not result.succeeded:
        raise SystemExit(f"the data cannot be made: {result}")
