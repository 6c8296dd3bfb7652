"""The JSON of a streamed sample: parsed when it is looked at, with the errors that it had."""

from __future__ import annotations

import pickle
import shutil
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from making import built, sa1b_members, tar_of
from torch.utils.data import DataLoader

from sgt_data import open_corpus
from sgt_data.corpus.sample import Sample
from sgt_data.errors import CorpusError
from sgt_data.stream.options import Reading
from sgt_data.stream.stream import Stream
from sgt_data.stream.transforms import Pictures

SAMPLES = 4


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("facts")
    (root / "sa_0.tar").write_bytes(tar_of(sa1b_members(SAMPLES)))
    built(root / "corpus", {"type": "sa1b", "name": "s", "tars": f"{root}/*.tar"})
    return root / "corpus"


@pytest.fixture
def spoiled(corpus: Path, tmp_path: Path) -> Path:
    """A corpus of which one sample has facts that are no JSON, under the CRC-32 that they have."""
    shutil.copytree(corpus, tmp_path / "corpus")
    (place,) = (tmp_path / "corpus" / "index" / "entity").glob("*.parquet")
    (tar,) = (tmp_path / "corpus" / "entity").glob("*.tar")
    index = pq.read_table(place)
    row = index.to_pylist()[0]
    data = bytearray(tar.read_bytes())
    begin, end = row["facts_offset"], row["facts_offset"] + row["facts_size"]
    data[end - 1 : end] = b"]"
    tar.write_bytes(data)
    checksums = [zlib.crc32(data[begin:end]), *index["facts_crc32"].to_pylist()[1:]]
    at = index.schema.get_field_index("facts_crc32")
    pq.write_table(index.set_column(at, "facts_crc32", pa.array(checksums, pa.uint32())), place)
    return tmp_path / "corpus"


def streamed(corpus: Path, **options: Any) -> list[Any]:
    stream = Stream({str(corpus): ["entity"]}, batch_size=2, **options)
    return [sample for batch in stream for sample in batch["samples"]]


def facts_of(sample: Sample) -> Any:
    return sample.facts


def words(corpus: Path) -> str:
    """What the error for the spoiled sample says where its JSON is parsed at once."""
    with pytest.raises(CorpusError) as error:
        list(open_corpus(str(corpus)).samples("entity"))
    return str(error.value)


def pickled(sample: Sample) -> Sample:
    carried: Sample = pickle.loads(pickle.dumps(sample))
    return carried


@pytest.mark.parametrize("on_error", ["raise", "skip"])
@pytest.mark.parametrize("carried", [lambda sample: sample, pickled])
def test_a_streamed_sample_is_the_stored_one(
    carried: Callable[[Sample], Sample], on_error: Any, corpus: Path
) -> None:
    stored = {sample.key: sample for sample in open_corpus(str(corpus)).samples("entity")}
    samples = streamed(corpus, reading=Reading(on_error=on_error))
    assert len(samples) == SAMPLES
    for sample in samples:
        sample = carried(sample)
        expected = stored[sample.key]
        assert sample["facts"] == expected.facts
        assert carried(sample) == sample == replace(expected, component=sample.component)
        assert repr(sample) == repr(expected)
        assert replace(sample, facts={}).facts == {}


def test_a_sample_has_no_other_attributes_than_before(corpus: Path) -> None:
    sample = streamed(corpus)[0]
    with pytest.raises(AttributeError, match="'Sample' object has no attribute 'fact'"):
        sample.fact  # noqa: B018
    assert not hasattr(sample, "_repr_png_")


def test_facts_that_are_no_json_are_named_when_they_are_looked_at(spoiled: Path) -> None:
    samples = streamed(spoiled)
    assert len(samples) == SAMPLES
    errors = []
    for sample in samples:
        for _ in range(2):
            try:
                assert sample.facts["key"] == sample.key
            except CorpusError as why:
                errors.append(str(why))
    assert errors == 2 * [words(spoiled)]


@pytest.mark.parametrize("workers", [0, 1])
def test_they_travel_from_a_worker_and_are_named_in_the_trainer(
    workers: int, spoiled: Path
) -> None:
    stream = Stream({str(spoiled): ["entity"]}, batch_size=SAMPLES)
    (batch,) = DataLoader(stream, batch_size=None, num_workers=workers)  # type: ignore[var-annotated]
    with pytest.raises(CorpusError) as error:
        [sample.facts for sample in batch["samples"]]
    assert str(error.value) == words(spoiled)


@pytest.mark.parametrize("transform", [facts_of, Pictures(form="numpy")])
def test_a_transform_that_looks_at_them_ends_the_stream(transform: Any, spoiled: Path) -> None:
    with pytest.raises(CorpusError) as error:
        streamed(spoiled, transform=transform)
    assert str(error.value) == words(spoiled)


@pytest.mark.parametrize("transform", [None, facts_of])
def test_they_count_as_a_skipped_sample_though_nobody_looks(transform: Any, spoiled: Path) -> None:
    reading = Reading(on_error="skip", skip_max=0.5)
    stream = Stream({str(spoiled): ["entity"]}, batch_size=2, reading=reading, transform=transform)
    assert sum(len(batch["samples"]) for batch in stream) == SAMPLES - 1
    assert stream.skipped == [words(spoiled)]


def test_they_are_parsed_at_once_where_no_checksum_guards_them(spoiled: Path) -> None:
    with pytest.raises(CorpusError) as error:
        streamed(spoiled, reading=Reading(checksums=False))
    assert str(error.value) == words(spoiled)
