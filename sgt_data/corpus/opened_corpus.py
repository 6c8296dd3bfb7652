"""An opened corpus: its shards, indexes and samples.

Only shards that have a receipt are seen, so a corpus can be read while it is being built.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import pyarrow as pa

from sgt_data import checks
from sgt_data.corpus.committed_receipts import read_receipts
from sgt_data.corpus.header import CorpusHeader, not_complete
from sgt_data.corpus.index import parse_index
from sgt_data.corpus.key_selection import Selection
from sgt_data.corpus.mending import read_committed
from sgt_data.corpus.paths import INPUT, index_path
from sgt_data.corpus.proxy_samples import ProxySamples
from sgt_data.corpus.receipt import Receipt, read_receipt
from sgt_data.corpus.reversed_proxies import bases_of
from sgt_data.corpus.sample import Sample
from sgt_data.corpus.sample_reader import SampleReader
from sgt_data.errors import CorpusError, RequestError, SgtDataError
from sgt_data.files.urls import join
from sgt_data.notebook_html import figure, heading, table
from sgt_data.suggestions import did_you_mean
from sgt_data.value_text import counted, cut

_PROXIES_SHOWN = 8


class Corpus:
    """A corpus at an fsspec URL, or a subset of it. `open_corpus` makes it.

    Its length is the number of its samples, over all proxies; iterating gives them, proxy by proxy.
    `corpus["panoptic"]` are the samples of one proxy, `corpus["panoptic"][0]` is the first of them.
    """

    def __init__(self, url: str, header: CorpusHeader, selection: Selection | None = None) -> None:
        """
        Args:
            url: of the corpus.
            header: its header; of a subset, what that of its copy would be.
            selection: the keys that are seen; None for all.
        """
        self.url = url
        self.header = header
        self.selection = selection

    @property
    def proxies(self) -> tuple[str, ...]:
        """Names of the proxies, in the order of the manifest."""
        return tuple(proxy["name"] for proxy in self.header.manifest["proxies"])

    @property
    def folders(self) -> tuple[str, ...]:
        """Folders that hold shards: `input` where the proxies share it, then those of the
        proxies."""
        shared = self.header.manifest.get("inputs") == "shared" and (
            INPUT not in self.header.left_out
        )
        return (INPUT, *self.proxies) if shared else self.proxies

    @property
    def bases(self) -> Mapping[str, str]:
        """By proxy that reverses another: the name of that one, whose pictures it takes."""
        return bases_of(self.header.manifest)

    @property
    def stored_fingerprints(self) -> Mapping[str, str]:
        """Fingerprints of the shards that lie at `url`, by folder; of a subset, its corpus' own."""
        if self.selection is None or self.header.parent is None:
            return self.header.fingerprints
        fingerprints: Mapping[str, str] = self.header.parent["fingerprints"]
        return fingerprints

    def __len__(self) -> int:
        return sum(sum(self.samples_per_shard(proxy)) for proxy in self.proxies)

    def __iter__(self) -> Iterator[Sample]:
        for proxy in self.proxies:
            yield from self.samples(proxy)

    def __getitem__(self, proxy: str) -> ProxySamples:
        """The samples of a proxy.

        Raises:
            RequestError: the corpus has no such proxy.
        """
        return ProxySamples(self, proxy)

    def __contains__(self, proxy: object) -> bool:
        return proxy in self.proxies

    def __repr__(self) -> str:
        return f"<Corpus {self.header.name} at {self.url}: {self._summary}>"

    def _repr_html_(self) -> str:
        """Its counts, and a sample of each of the first proxies, as a notebook shows them."""
        columns = ("inputs", "samples", "damaged", "filtered")
        rows = [
            (proxy, *(self.header.totals.get(proxy, {}).get(name, 0) for name in columns))
            for proxy in self.proxies
        ]
        shown = []
        for proxy in self.proxies[:_PROXIES_SHOWN]:
            try:
                shown += [figure(sample.target, proxy) for sample in self[proxy][:1]]
            except SgtDataError as why:
                shown.append(heading(proxy, str(why)))
        title = heading(self.header.name, f"{self._summary}, {self.url}")
        return title + table(("proxy", *columns), rows) + "".join(shown)

    @property
    def _summary(self) -> str:
        part = "a subset, " if self.selection is not None else ""
        state = self.header.state
        proxies = counted(len(self.proxies), "proxy")
        return f"{part}{counted(len(self), 'sample')} of {proxies}, {state}"

    def finished(self, proxies: Sequence[str] | str | None = None) -> tuple[str, ...]:
        """Names of proxies of a complete corpus: those asked for, the one, or all.

        Raises:
            RequestError: the corpus is not complete, or has no such proxy.
        """
        if not self.header.complete:
            raise RequestError(not_complete(self.url, self.header))
        if proxies is None:
            return self.proxies
        chosen = checks.texts("proxies", proxies)
        for proxy in chosen:
            if proxy not in self.proxies:
                raise self._unknown(proxy)
        return chosen

    def shards(self, proxy: str) -> tuple[str, ...]:
        """Names of the committed shards: in corpus order once the corpus is complete, until then
        by name."""
        self._check(proxy)
        if self.header.complete:
            return self.header.shards[proxy]
        return tuple(sorted(self._receipts[proxy]))

    def samples_per_shard(self, proxy: str) -> tuple[int, ...]:
        """How many samples each of `shards(proxy)` holds, in the same order."""
        shards = self.shards(proxy)
        if proxy in self.header.samples:
            return self.header.samples[proxy]
        return tuple(self._receipts[proxy][shard]["samples"] for shard in shards)

    def receipt(self, proxy: str, shard: str) -> Receipt:
        """The receipt of a shard."""
        self._check(proxy)
        return read_receipt(self.url, proxy, shard)

    def index(self, proxy: str, shard: str, columns: Sequence[str] | None = None) -> pa.Table:
        """The index of a shard: a row per sample, by key (`corpus.shard.INDEX_SCHEMA`).

        Args:
            proxy, shard: which index.
            columns: of it, with `key` among them; None for all.

        Raises:
            CorpusError: it is damaged.
        """
        rows = self.restricted(self.stored_index(proxy, shard, columns), shard)
        promised = self._promised.get((proxy, shard))
        if promised is not None and len(rows) != promised:
            raise CorpusError(
                f"{join(self.url, index_path(proxy, shard))} has {len(rows)} of the {promised} "
                "keys that the subset takes of it"
            )
        return rows

    def stored_index(
        self, proxy: str, shard: str, columns: Sequence[str] | None = None
    ) -> pa.Table:
        """The index of a shard as stored, with rows that a subset lacks; all columns or some."""
        self._check(proxy)
        path = index_path(proxy, shard)
        return parse_index(read_committed(self.url, path), join(self.url, path), columns)

    def restricted(self, index: pa.Table, shard: str) -> pa.Table:
        """The rows of a stored index that this corpus or subset has."""
        return index if self.selection is None else self.selection.rows(index, shard)

    def samples(self, proxy: str, shards: Sequence[str] | str | None = None) -> Iterator[Sample]:
        """All samples of a proxy, or of some of its shards or one, in order.

        Raises:
            CorpusError: a sample is not what the index says.
            SourceError: a sample cannot be read just now.
        """
        chosen = self.shards(proxy) if shards is None else checks.texts("shards", shards)
        for shard in chosen:
            for row in range(self.reader.count(proxy, shard)):
                yield self.reader.read(proxy, shard, row)

    def sample(self, proxy: str, shard: str, key: str) -> Sample:
        """The sample of a key in a shard of a proxy.

        Raises:
            CorpusError: the shard has no sample of this key, or it is not what the index says.
            SourceError: it cannot be read just now.
        """
        row = self.reader.row(proxy, shard, key)
        if row is None:
            raise CorpusError(f"{self.url}: {proxy}/{shard} has no sample {key}")
        return self.reader.read(proxy, shard, row)

    @cached_property
    def reader(self) -> SampleReader:
        """Reads samples by shard and row of its index; every byte is compared with the index."""
        return SampleReader(self)

    @cached_property
    def _promised(self) -> dict[tuple[str, str], int]:
        """How many rows a subset takes of an index, by folder and shard."""
        if self.selection is None:
            return {}
        return {
            (folder, shard): count
            for folder, counts in self.header.samples.items()
            for shard, count in zip(self.header.shards[folder], counts, strict=True)
        }

    @cached_property
    def _receipts(self) -> dict[str, dict[str, Receipt]]:
        return read_receipts(self.url, self.folders)

    def _check(self, proxy: str) -> None:
        if proxy not in self.folders:
            raise self._unknown(proxy)

    def _unknown(self, proxy: object) -> RequestError:
        if not isinstance(proxy, str):
            first = self.proxies[0] if self.proxies else "PROXY"
            return RequestError(
                f"corpus[{cut(proxy, 40)}]: a corpus has samples by proxy; write "
                f'corpus["{first}"][0] for the first sample of {first}'
            )
        if proxy in self.header.left_out:
            what = "the pictures" if proxy == INPUT else f"the pictures of {proxy}"
            return RequestError(
                f"{self.url} is a copy without {what}, which were not passed on; its index names "
                "them by source, member and SHA-256"
            )
        near = did_you_mean(proxy, self.proxies)
        return RequestError(
            f"{self.url} has no proxy {proxy!r}; it has {', '.join(self.proxies)}{near}"
        )
