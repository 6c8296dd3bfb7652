"""The samples of one proxy of a corpus, as a sequence: `corpus["panoptic"][0]`."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from typing import Protocol, overload

from sgt_data.corpus.sample import Sample
from sgt_data.corpus.sample_reader import SampleReader
from sgt_data.errors import RequestError, SgtDataError
from sgt_data.notebook_html import heading
from sgt_data.value_text import counted, cut

_SHOWN = 4


class OfShards(Protocol):
    """What is needed of a corpus."""

    url: str

    @property
    def reader(self) -> SampleReader: ...

    def shards(self, proxy: str) -> tuple[str, ...]: ...

    def samples_per_shard(self, proxy: str) -> tuple[int, ...]: ...

    def samples(self, proxy: str) -> Iterator[Sample]: ...


class ProxySamples(Sequence[Sample]):
    """The samples of a proxy in the order of the corpus; each is read when it is asked for."""

    def __init__(self, corpus: OfShards, proxy: str) -> None:
        """
        Args:
            corpus: an opened one.
            proxy: one of its proxies.

        Raises:
            RequestError: the corpus has no such proxy.
        """
        self.corpus, self.proxy = corpus, proxy
        self._shards = corpus.shards(proxy)

    @cached_property
    def _ends(self) -> list[int]:
        """After each shard, how many samples it and those before it hold."""
        return list(accumulate(self.corpus.samples_per_shard(self.proxy)))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, place: int | str) -> Sample: ...

    @overload
    def __getitem__(self, place: slice) -> list[Sample]: ...

    def __getitem__(self, place: int | str | slice) -> Sample | list[Sample]:
        """A sample by its number (negative ones count from the end) or its key; a list by a slice.

        Raises:
            IndexError: there are not so many samples.
            RequestError: no sample has the key.
            CorpusError, SourceError: it is damaged, or cannot be read just now.
        """
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        if isinstance(place, str):
            return self._of_key(place)
        number = place + len(self) if place < 0 else place
        if not 0 <= number < len(self):
            raise IndexError(f"sample {place} of {self.proxy}, which has {len(self):,}")
        shard = bisect_right(self._ends, number)
        row = number - (self._ends[shard - 1] if shard else 0)
        return self.corpus.reader.read(self.proxy, self._shards[shard], row)

    def __iter__(self) -> Iterator[Sample]:
        return self.corpus.samples(self.proxy)

    def __contains__(self, sample: object) -> bool:
        """Whether the proxy has a sample, or one of a key."""
        if isinstance(sample, Sample):
            place = self._place(sample.key)
            return place is not None and self.corpus.reader.read(self.proxy, *place) == sample
        return isinstance(sample, str) and self._place(sample) is not None

    def _of_key(self, key: str) -> Sample:
        place = self._place(key)
        if place is None:
            raise RequestError(f"{self.corpus.url}: {self.proxy} has no sample {cut(key)}")
        return self.corpus.reader.read(self.proxy, *place)

    def _place(self, key: str) -> tuple[str, int] | None:
        """Shard of a key, and its row there."""
        for shard in self._shards:
            row = self.corpus.reader.row(self.proxy, shard, key)
            if row is not None:
                return shard, row
        return None

    def __repr__(self) -> str:
        return f"<{counted(len(self), 'sample')} of {self.proxy} in {self.corpus.url}>"

    def _repr_html_(self) -> str:
        """The first samples, as a notebook shows them."""
        try:
            shown = "".join(sample._repr_html_() for sample in self[:_SHOWN])
        except SgtDataError as why:
            shown = heading("", str(why))
        return heading(self.proxy, counted(len(self), "sample")) + shown
