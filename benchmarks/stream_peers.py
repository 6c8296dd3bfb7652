"""The stream and its peers on the same samples, each in its own format and at its best for local
reading: contestants that give batches, as lists.

Every format holds all four members of a sample. Decoded, a sample is its input and target as RGB
uint8 at their stored size: the peers' by Pillow, ours by its own transform and, so that reading can
be told from decoding, by Pillow too. The peers:

- webdataset reads the corpus's own tars; a shuffle buffer of its default size.
- MosaicML streaming reads MDS shards (its default of 64 MiB), hashes off, as they are by default;
  iterated without a loader where there are no workers, in torch's DataLoader where there are.
- LitData reads its own chunks (64 MB) in place, in its StreamingDataLoader, at its defaults;
  these shuffle chunks, and blocks of 256 samples within each.

Without workers Pillow's images are the fastest to hand over for all peers, as they are not copied
again; from workers it is torch's tensors, which go through shared memory.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from itertools import islice
from multiprocessing import cpu_count, get_context
from pathlib import Path
from typing import Any, Literal

import numpy as np
import orjson
from PIL import Image
from stream_corpora import PROXY

import sgt_data
from sgt_data.annotators.torchvision_operators import provide_torchvision_operators
from sgt_data.corpus.sample import Sample
from sgt_data.stream.transforms import Pictures
from sgt_data.subsets.opening import open_corpus

BATCH = 24
SHUFFLE_BUFFER = 1000
"""webdataset's own default for its shuffle buffer."""

PREDOWNLOAD = 10_000
"""Samples that MosaicML's threads look after ahead of the reader. By default they are 8 batches
and never done, beside the reader, which halves what it reads; yet a first batch is there sooner."""

Form = Literal["pil", "numpy", "torch"]
Loader = Iterable[list[Any]]


@dataclass(frozen=True, slots=True)
class Stored:
    """Where the same samples are: the corpus, MDS shards, LitData's chunks."""

    corpus: str
    mds: str
    litdata: str


def rgb(data: bytes, form: Form) -> Any:
    """A picture as RGB uint8: PIL, or [H, W, 3]."""
    with Image.open(io.BytesIO(data)) as image:
        picture = image.convert("RGB")
    if form == "pil":
        return picture
    pixels = np.array(picture)
    if form == "numpy":
        return pixels
    import torch

    return torch.from_numpy(pixels)


@dataclass(frozen=True, slots=True)
class PillowPictures:
    """The same for the stream."""

    form: Form

    def __call__(self, sample: Sample) -> tuple[Any, Any]:
        return rgb(sample.input, self.form), rgb(sample.target, self.form)


@dataclass(frozen=True, slots=True)
class Decoded:
    """Decodes input and target of a peer's sample, a mapping of members to bytes."""

    input: str
    target: str
    form: Form

    def __call__(self, sample: Any) -> tuple[Any, Any]:
        return rgb(sample[self.input], self.form), rgb(sample[self.target], self.form)


def ours(stored: Stored, workers: int, form: Form | None) -> Loader:
    return _ours(stored, workers, None if form is None else Pictures(form=form))


def ours_by_pillow(stored: Stored, workers: int, form: Form | None) -> Loader:
    return _ours(stored, workers, None if form is None else PillowPictures(form))


def _ours(stored: Stored, workers: int, transform: Callable[[Any], Any] | None) -> Loader:
    stream = sgt_data.Stream({stored.corpus: [PROXY]}, batch_size=BATCH, transform=transform)
    return (batch["samples"] for batch in loaded(stream, workers))


def webdatasets(stored: Stored, workers: int, form: Form | None) -> Loader:
    import webdataset

    tars = sorted(map(str, Path(stored.corpus).glob(f"{PROXY}/*.tar")))
    dataset = webdataset.WebDataset(tars, shardshuffle=len(tars), empty_check=False, seed=0)
    dataset = dataset.shuffle(SHUFFLE_BUFFER, seed=0)
    if form is not None:
        dataset = dataset.map(Decoded("input.jpg", "target.png", form))
    return loaded(dataset.batched(BATCH, collation_fn=list), workers)


def mosaic(stored: Stored, workers: int, form: Form | None) -> Loader:
    dataset = mosaic_dataset(stored.mds, form, PREDOWNLOAD)
    if workers == 0:
        return batches(iter(dataset))
    from torch.utils.data import DataLoader

    return DataLoader(dataset, batch_size=BATCH, num_workers=workers, collate_fn=list)


def mosaic_dataset(mds: str, form: Form | None, predownload: int | None) -> Any:
    provide_torchvision_operators()  # the package imports torchvision
    from streaming import StreamingDataset
    from streaming.base.util import clean_stale_shared_memory

    decode = None if form is None else Decoded("input", "target", form)

    class Dataset(StreamingDataset):  # type: ignore[misc]
        def __getitem__(self, at: Any) -> Any:
            sample = super().__getitem__(at)
            return sample if decode is None else decode(sample)

    clean_stale_shared_memory()
    return Dataset(local=mds, shuffle=True, batch_size=BATCH, predownload=predownload)


def litdatas(stored: Stored, workers: int, form: Form | None) -> Loader:
    found: Loader = litdata_loader(stored.litdata, workers, form)
    return found


def litdata_loader(chunks: str, workers: int, form: Form | None) -> Any:
    from litdata import StreamingDataLoader, StreamingDataset

    decode = None if form is None else Decoded("input", "target", form)
    dataset = StreamingDataset(chunks, shuffle=True, transform=decode)
    return StreamingDataLoader(dataset, batch_size=BATCH, num_workers=workers, collate_fn=list)


def peer_versions() -> dict[str, str]:
    return {
        name: version(name) for name in ("webdataset", "mosaicml-streaming", "litdata", "torch")
    }


def loaded(dataset: Any, workers: int) -> Iterable[Any]:
    """A data set of batches, through torch's DataLoader if there are workers."""
    if workers == 0:
        found: Iterable[Any] = dataset
        return found
    from torch.utils.data import DataLoader

    return DataLoader(dataset, batch_size=None, num_workers=workers)


def batches(samples: Iterator[Any]) -> Iterator[list[Any]]:
    while batch := list(islice(samples, BATCH)):
        yield batch


CONTESTANTS: dict[str, Callable[[Stored, int, Form | None], Loader]] = {
    "ours": ours,
    "ours_by_pillow": ours_by_pillow,
    "webdataset": webdatasets,
    "mosaicml": mosaic,
    "litdata": litdatas,
}


def stored_for_all(corpus: str, folder: Path) -> Stored:
    """Write a corpus's samples in the peers' formats too."""
    stored = Stored(corpus, str(folder / "mds"), str(folder / "litdata"))
    # apart: LitData's writer changes how this process would start its workers
    writing = get_context("spawn").Process(target=_write, args=(stored,))
    writing.start()
    writing.join()
    assert writing.exitcode == 0
    return stored


def _write(stored: Stored) -> None:
    provide_torchvision_operators()
    from litdata import optimize
    from streaming import MDSWriter

    shards = [(stored.corpus, shard) for shard in open_corpus(stored.corpus).shards(PROXY)]
    columns = {"key": "str", "input": "bytes", "target": "bytes", "text": "str", "facts": "bytes"}
    with MDSWriter(out=stored.mds, columns=columns) as writer:
        for shard in shards:
            for sample in members(shard):
                writer.write(sample)
    optimize(
        members, shards, stored.litdata, chunk_bytes="64MB", num_workers=cpu_count(), verbose=False
    )


def members(place: tuple[str, str]) -> Iterator[dict[str, Any]]:
    """The samples of a shard of a corpus: key, encoded pictures, text, and the JSON's bytes."""
    for one in open_corpus(place[0]).samples(PROXY, [place[1]]):
        yield {
            "key": one.key,
            "input": one.input,
            "target": one.target,
            "text": one.instruction,
            "facts": orjson.dumps(one.facts),
        }
