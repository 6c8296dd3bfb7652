"""The stream and its peers on the same samples: contestants that give batches as lists.

Each reads its own format with the settings that are best for local reading. Every format holds all
four members of a sample. A decoded sample is its input and target as RGB uint8 at their stored
size: the peers decode by Pillow; ours decodes by its own transform and, to tell reading from
decoding, by Pillow too. The peers:

- webdataset reads the corpus' own tars, with a shuffle buffer of its default size.
- MosaicML streaming reads MDS shards (its default of 64 MiB) without hashes (its default);
  it is iterated without a loader where there are no workers, and in torch's DataLoader otherwise.
- LitData reads its own chunks (64 MB) in place, in its StreamingDataLoader, with its defaults:
  it shuffles chunks, and blocks of 256 samples within each.

Without workers, all peers give Pillow's images fastest, as these are not copied again; with workers
they give torch's tensors fastest, which go through shared memory.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from itertools import islice
from multiprocessing import cpu_count, get_context
from operator import itemgetter
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
from sgt_data.subsets.open_corpus import open_corpus

BATCH = 24
SHUFFLE_BUFFER = 1000
"""webdataset's own default for its shuffle buffer."""

PREDOWNLOAD = 10_000
"""Number of samples that MosaicML's threads prepare ahead of the reader. Its default is 8 batches:
then the threads never rest, which halves the reader's rate, but a first batch comes sooner."""

Form = Literal["pil", "numpy", "torch"]
Loader = Iterable[list[Any]]


@dataclass(frozen=True, slots=True)
class Stored:
    """Where the same samples are stored in each format.

    Attributes:
        corpus: folder of the corpus.
        mds: folder of the MDS shards.
        litdata: folder of LitData's chunks.
    """

    corpus: str
    mds: str
    litdata: str


def rgb(data: bytes, form: Form) -> Any:
    """A picture as RGB uint8: a PIL image, or an array or tensor [H, W, 3]."""
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
    """Decodes input and target of a stream's sample by Pillow."""

    form: Form

    def __call__(self, sample: Sample) -> tuple[Any, Any]:
        return rgb(sample.input, self.form), rgb(sample.target, self.form)


@dataclass(frozen=True, slots=True)
class Decoded:
    """Decodes input and target of a peer's sample, a mapping of members to bytes, by Pillow.

    Attributes:
        input: name of the input picture's member.
        target: name of the target's member.
        form: form of the pictures.
    """

    input: str
    target: str
    form: Form

    def __call__(self, sample: Any) -> tuple[Any, Any]:
        return rgb(sample[self.input], self.form), rgb(sample[self.target], self.form)


def ours(stored: Stored, workers: int, form: Form | None) -> Loader:
    """Batches of the stream with its own transform; `form` None gives encoded samples."""
    return _ours(stored, workers, None if form is None else Pictures(form=form))


def ours_by_pillow(stored: Stored, workers: int, form: Form | None) -> Loader:
    """Batches of the stream, decoded by Pillow; `form` None gives encoded samples."""
    return _ours(stored, workers, None if form is None else PillowPictures(form))


def _ours(stored: Stored, workers: int, transform: Callable[[Any], Any] | None) -> Loader:
    stream = sgt_data.Stream({stored.corpus: [PROXY]}, batch_size=BATCH, transform=transform)
    return map(itemgetter("samples"), loaded(stream, workers))


def webdatasets(stored: Stored, workers: int, form: Form | None) -> Loader:
    """Batches of webdataset; `form` None gives encoded samples."""
    import webdataset

    tars = sorted(map(str, Path(stored.corpus).glob(f"{PROXY}/*.tar")))
    dataset = webdataset.WebDataset(tars, shardshuffle=len(tars), empty_check=False, seed=0)
    dataset = dataset.shuffle(SHUFFLE_BUFFER, seed=0)
    if form is not None:
        dataset = dataset.map(Decoded("input.jpg", "target.png", form))
    return loaded(dataset.batched(BATCH, collation_fn=list), workers)


def mosaic(stored: Stored, workers: int, form: Form | None) -> Loader:
    """Batches of MosaicML streaming; `form` None gives encoded samples."""
    dataset = mosaic_dataset(stored.mds, form, PREDOWNLOAD)
    if workers == 0:
        return batches_of(iter(dataset))
    from torch.utils.data import DataLoader

    return DataLoader(dataset, batch_size=BATCH, num_workers=workers, collate_fn=list)


def mosaic_dataset(mds: str, form: Form | None, predownload: int | None) -> Any:
    """MosaicML's data set; `predownload` None takes its default."""
    provide_torchvision_operators()  # the package imports torchvision
    from streaming import StreamingDataset
    from streaming.base.util import clean_stale_shared_memory

    decode = None if form is None else Decoded("input", "target", form)

    class Dataset(StreamingDataset):  # type: ignore[misc]
        def __getitem__(self, index: Any) -> Any:
            sample = super().__getitem__(index)
            return sample if decode is None else decode(sample)

    clean_stale_shared_memory()
    return Dataset(local=mds, shuffle=True, batch_size=BATCH, predownload=predownload)


def litdatas(stored: Stored, workers: int, form: Form | None) -> Loader:
    """Batches of LitData; `form` None gives encoded samples."""
    loader: Loader = litdata_loader(stored.litdata, workers, form)
    return loader


def litdata_loader(chunks: str, workers: int, form: Form | None) -> Any:
    """LitData's loader of batches."""
    from litdata import StreamingDataLoader, StreamingDataset

    decode = None if form is None else Decoded("input", "target", form)
    dataset = StreamingDataset(chunks, shuffle=True, transform=decode)
    return StreamingDataLoader(dataset, batch_size=BATCH, num_workers=workers, collate_fn=list)


def peer_versions() -> dict[str, str]:
    """Versions of the peers and of torch."""
    return {
        name: version(name) for name in ("webdataset", "mosaicml-streaming", "litdata", "torch")
    }


def loaded(dataset: Any, workers: int) -> Iterable[Any]:
    """The batches of a data set, through torch's DataLoader if there are workers."""
    if workers == 0:
        batches: Iterable[Any] = dataset
        return batches
    from torch.utils.data import DataLoader

    return DataLoader(dataset, batch_size=None, num_workers=workers)


def batches_of(samples: Iterator[Any]) -> Iterator[list[Any]]:
    """Samples in lists of the batch size; none is kept while the next one is made."""
    return iter(lambda: list(islice(samples, BATCH)), [])


CONTESTANTS: dict[str, Callable[[Stored, int, Form | None], Loader]] = {
    "ours": ours,
    "ours_by_pillow": ours_by_pillow,
    "webdataset": webdatasets,
    "mosaicml": mosaic,
    "litdata": litdatas,
}


def stored_for_all(corpus: str, folder: Path) -> Stored:
    """Write the samples of a corpus in the formats of the peers as well."""
    stored = Stored(corpus, str(folder / "mds"), str(folder / "litdata"))
    # in another process: LitData's writer changes how a process starts its workers
    writer = get_context("spawn").Process(target=_write, args=(stored,))
    writer.start()
    writer.join()
    assert writer.exitcode == 0
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
    """The samples of a shard as members: key, encoded pictures, text, and the JSON's bytes.

    Args:
        place: URL of the corpus, and name of the shard.
    """
    corpus, shard = place
    for sample in open_corpus(corpus).samples(PROXY, [shard]):
        yield {
            "key": sample.key,
            "input": sample.input,
            "target": sample.target,
            "text": sample.instruction,
            "facts": orjson.dumps(sample.facts),
        }
