"""Writes the planned Parquet files of a proxy, or keeps those that are whole.

Two files are written at a time: while one waits for the disk, or for an object store, the other is
made. Each holds a row group or two in memory; what goes to an object store waits on the local disk.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice

from sgt_data.corpus.sample import Sample
from sgt_data.corpus.sample_reader import SampleReader
from sgt_data.exports.edit_parquet import EditWriter
from sgt_data.exports.export_format import Export
from sgt_data.exports.parquet_files import row_groups_in
from sgt_data.exports.picture_limits import is_16_bit_png
from sgt_data.exports.row_groups import PlannedFile
from sgt_data.files.read_ahead import read_ahead, threads_for
from sgt_data.files.spooled_writing import open_spooled
from sgt_data.files.urls import is_local

WRITERS = 2
"""Files that are written at a time."""


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """What became of a planned file.

    Attributes:
        samples: how many it holds.
        nbytes: how many bytes were written.
        is_kept: whether an earlier run had written it.
        has_16_bits: whether a picture was seen that has 16 bits per channel.
    """

    samples: int
    nbytes: int
    is_kept: bool = False
    has_16_bits: bool = False


class EditFiles:
    """Writes the files of a proxy, from several threads."""

    def __init__(self, export: Export, proxy: str) -> None:
        """
        Args:
            export: under way.
            proxy: whose samples are written.
        """
        corpus = export.corpus
        self._export, self._proxy = export, proxy
        self._reader = SampleReader(corpus, late_facts=True)
        self._shards = tuple(
            zip(corpus.shards(proxy), corpus.samples_per_shard(proxy), strict=True)
        )

    def written(self, numbered: tuple[int, PlannedFile]) -> WrittenFile:
        """Write one file, unless an earlier run has.

        Raises:
            CorpusError: a sample is damaged.
            StorageError: the file cannot be written.
        """
        number, planned = numbered
        place = self._export.files.place(file_path(self._proxy, number))
        if row_groups_in(place) == list(planned.groups):
            return WrittenFile(planned.samples, 0, is_kept=True)
        has_16_bits = False
        with open_spooled(place) as out, closing(self._samples(planned)) as samples:
            writer = EditWriter(out)
            for count in planned.groups:
                group = list(islice(samples, count))
                has_16_bits = has_16_bits or any(map(_has_16_bits, group))
                writer.write(group)
            nbytes = writer.close()
        return WrittenFile(planned.samples, nbytes, has_16_bits=has_16_bits)

    def _samples(self, planned: PlannedFile) -> Generator[Sample, None, None]:
        """The samples of a file, in order, with facts that are not parsed; read a little ahead
        where the corpus is far away."""
        url = self._export.corpus.url
        places = self._places(planned.start, planned.start + planned.samples)
        if is_local(url):
            yield from map(self._read, places)
        else:
            yield from read_ahead(self._read, places, threads_for(url))

    def _read(self, place: tuple[str, int]) -> Sample:
        return self._reader.read(self._proxy, *place)

    def _places(self, start: int, stop: int) -> Iterator[tuple[str, int]]:
        """Shard and row of samples of the proxy, by their numbers."""
        before = 0
        for shard, count in self._shards:
            for row in range(max(0, start - before), min(count, stop - before)):
                yield shard, row
            before += count


def file_path(proxy: str, number: int) -> str:
    """Path of a file of a proxy, below the export's folder."""
    return f"{proxy}/{number:05d}.parquet"


def _has_16_bits(sample: Sample) -> bool:
    return is_16_bit_png(sample.target) or is_16_bit_png(sample.input)
