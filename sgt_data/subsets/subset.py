"""Nested subsets of a corpus: as files that name keys, or copied into corpora of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sgt_data.corpus.reader import Corpus
from sgt_data.engine.build import Progress
from sgt_data.errors import CorpusMismatch, RequestError
from sgt_data.files.claim import as_list, differences
from sgt_data.files.reading import exists
from sgt_data.files.urls import absolute
from sgt_data.files.writing import write_atomic
from sgt_data.subsets.choice import (
    Rule,
    rank_keys,
    rank_shards,
    taken,
)
from sgt_data.subsets.cluster_effect import ClusterEffect
from sgt_data.subsets.copy_corpus import copy_corpus
from sgt_data.subsets.opening import open_corpus
from sgt_data.subsets.strata import StrataRule
from sgt_data.subsets.subset_file import (
    SUFFIX,
    encode_subset,
    is_subset_file,
    read_subset,
)

EACH = "{}"
"""In the name of a file or an output: stands for the fraction, where there are several."""


@dataclass(slots=True)
class SubsetReport:
    """What came of a subset.

    Attributes:
        place: of its file, or of its corpus.
        corpus: what it was taken from.
        rule: how it was chosen: seed, strata, `where`; `samples` `from` how many.
        totals: by proxy.
        copied: whether it has become a corpus of its own; then
        complete: whether all of it is there,
        built_shards: that were copied now,
        found_shards: and before,
        failures: what could not be read, by shard.
        clusters: of whole shards: how alike their pictures are.
    """

    place: str
    corpus: str
    rule: Mapping[str, Any]
    totals: Mapping[str, Mapping[str, int]]
    copied: bool = False
    complete: bool = True
    built_shards: int = 0
    found_shards: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    clusters: tuple[ClusterEffect, ...] = ()


def subset(
    corpus: str,
    fraction: float | None = None,
    *,
    samples: int | None = None,
    where: str | None = None,
    strata: StrataRule = "source",
    described_by: str | None = None,
    seed: int | None = None,
    whole_shards: bool = False,
    file: str | None = None,
    output: str | None = None,
    address: str | None = None,
    workers: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> SubsetReport:
    """Take a subset of a corpus: write a file that names its keys, or copy it.

    Subsets by one rule (seed, strata, `where`) are nested, whatever their sizes and however the
    corpus is cut into shards. Every proxy has the same keys, save those that its ledger names.

    Args:
        corpus: fsspec URL, of a corpus or of a subset file.
        fraction: above 0, at most 1; of what fulfils `where`. Neither this nor `samples` takes all.
        samples: how many instead, as the first proxy that takes a source has them.
        where: an expression in DuckDB's SQL that keys must fulfil, over the index's columns: key,
            source, member, licence, source_width, source_height, width, height, segments,
            categories.
        strata: what each subset has its exact share of: `source`, or within it `segments`
            (magnitude of the segment count) or `category` (a picture's rarest).
        described_by: the proxy whose segments and categories are meant; by default the first that
            has the picture.
        seed: of the ranking; by default the manifest's.
        whole_shards: take a fraction of the shards instead, as they are.
        file: URL of the subset file, `.subset.parquet`; by default named after corpus and size, in
            the working directory.
        output: URL of a corpus to copy the subset to, instead of writing a file.
        address, workers, on_progress: of a copy (see `copying.copy_corpus`).

    Raises:
        RequestError: the request cannot be carried out as it stands.
        CorpusError, SourceError: the corpus is damaged, or cannot be read just now.
        StorageError: the result cannot be written.
    """
    size = _Size(fraction, samples)
    rule = Rule(seed, strata, where, described_by)
    (report,) = _subsets(
        corpus, [size], rule, whole_shards, file, output, address, workers, on_progress
    )
    return report


def subset_ladder(
    corpus: str,
    fractions: Sequence[float],
    *,
    where: str | None = None,
    strata: StrataRule = "source",
    described_by: str | None = None,
    seed: int | None = None,
    whole_shards: bool = False,
    file: str | None = None,
    output: str | None = None,
    address: str | None = None,
    workers: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> list[SubsetReport]:
    """Several fractions at once: keys are ranked a single time. As `subset`, but that `{}` in
    `file` or `output` stands for the fraction.

    Raises:
        RequestError: beside those of `subset`: the places have no `{}`.
    """
    sizes = [_Size(fraction, None) for fraction in fractions]
    rule = Rule(seed, strata, where, described_by)
    return _subsets(corpus, sizes, rule, whole_shards, file, output, address, workers, on_progress)


@dataclass(frozen=True, slots=True)
class _Size:
    """How much is asked for; neither means all."""

    fraction: float | None
    samples: int | None

    def __post_init__(self) -> None:
        if self.fraction is not None and self.samples is not None:
            raise RequestError("a subset has a fraction or a number of samples, not both")

    @property
    def label(self) -> str:
        if self.samples is not None:
            return str(self.samples)
        return "all" if self.fraction is None else f"{self.fraction:g}"

    def of(self, count: int) -> int:
        if self.samples is not None:
            return self.samples
        return taken(1 if self.fraction is None else self.fraction, count)


def _subsets(
    corpus: str,
    sizes: Sequence[_Size],
    rule: Rule,
    whole_shards: bool,
    file: str | None,
    output: str | None,
    address: str | None,
    workers: int | None,
    on_progress: Callable[[Progress], None] | None,
) -> list[SubsetReport]:
    if file is not None and output is not None:
        raise RequestError("a subset becomes a file or is copied to an output, not both")
    opened = open_corpus(corpus)
    opened.finished()
    place = output or file or f"{opened.header.name}-{EACH}{SUFFIX}"
    if len(sizes) > 1 and EACH not in place:
        raise RequestError(
            f"{place}: for several fractions the place needs a {EACH}, which stands for each"
        )
    if output is None and not is_subset_file(place):
        raise RequestError(f"file: found {place!r}; its name must end in {SUFFIX}")
    chosen, clusters = _chosen(opened, sizes, rule, whole_shards)
    reports = []
    for size, view in zip(sizes, chosen, strict=True):
        where = absolute(place.replace(EACH, size.label))
        rule_of = view.header.identity["subset"]
        report = SubsetReport(where, opened.url, rule_of, view.header.totals, clusters=clusters)
        if output is None:
            write_subset_file(view, where)
        else:
            copied = copy_corpus(
                view, where, address=address, workers=workers, on_progress=on_progress
            )
            report.copied, report.totals, report.complete = True, copied.totals, copied.complete
            report.built_shards, report.found_shards = copied.built_shards, copied.found_shards
            report.failures = copied.failures
        reports.append(report)
    return reports


def _chosen(
    corpus: Corpus, sizes: Sequence[_Size], rule: Rule, whole_shards: bool
) -> tuple[Iterator[Corpus], tuple[ClusterEffect, ...]]:
    """The subsets one after the other, and what whole shards do to randomness."""
    everything = all(size.label == "all" for size in sizes)
    if not whole_shards:
        if everything and rule.where is None:
            if corpus.selection is None:
                raise RequestError(
                    "a subset needs a fraction, a number of samples, or a where expression"
                )
            return iter([corpus]), ()
        keys = rank_keys(corpus, rule)
        return (keys.first(size.of(keys.count)) for size in sizes), ()
    if any(size.samples is not None for size in sizes) or everything:
        raise RequestError("whole shards: give a fraction; each shard has as many as it has")
    if rule != Rule(rule.seed):
        raise RequestError("whole shards go with no where, strata or described_by")
    shards = rank_shards(corpus, rule.seed)
    views = (shards.first(size.of(shards.count)) for size in sizes)
    return views, shards.clusters()


def write_subset_file(view: Corpus, url: str) -> None:
    """Write a subset file; never over that of another subset.

    Raises:
        CorpusMismatch: there is one; names what differs.
    """
    assert view.selection is not None
    if exists(url):
        found = differences(read_subset(url).rule, view.header.identity["subset"])
        if found:
            raise CorpusMismatch(
                f"{url} is another subset. These differ:\n{as_list(found)}\nUse another --file."
            )
    write_atomic(url, encode_subset(view.header, view.selection, url))
