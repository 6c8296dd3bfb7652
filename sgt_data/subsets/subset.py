"""Nested subsets of a corpus: as files that name keys, or copied into corpora of their own."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import overload

from sgt_data import checks
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.paths import CORPUS_FILE
from sgt_data.engine.cluster import THIS_MACHINE, Cluster
from sgt_data.errors import RequestError
from sgt_data.files.output_place import check_file_place, check_output
from sgt_data.files.urls import Location, absolute, plain
from sgt_data.progress import OnProgress, Progress, ProgressTo
from sgt_data.progress_display import shown
from sgt_data.subsets.copy_subset import copy_subset
from sgt_data.subsets.open_corpus import open_corpus
from sgt_data.subsets.ranked_keys import count_taken, counted_keys, rank_keys
from sgt_data.subsets.ranked_shards import rank_shards
from sgt_data.subsets.rule import SubsetRule
from sgt_data.subsets.shard_likeness import ShardLikeness
from sgt_data.subsets.subset_file import SUFFIX, is_subset_file, write_subset_file
from sgt_data.subsets.subset_report import SubsetReport

SIZE_MARK = "{}"
"""In the name of a file or an output: stands for the fraction, where there are several."""

BY_SOURCE = SubsetRule()
"""The rule by default: every source has its exact share, ranked by the manifest's seed."""


@overload
def subset(
    corpus: Location,
    fraction: float | None = None,
    *,
    samples: int | None = None,
    rule: SubsetRule = BY_SOURCE,
    file: Location | None = None,
    output: Location | None = None,
    cluster: Cluster = THIS_MACHINE,
    progress: ProgressTo = False,
) -> SubsetReport: ...


@overload
def subset(
    corpus: Location,
    fraction: Sequence[float],
    *,
    samples: int | None = None,
    rule: SubsetRule = BY_SOURCE,
    file: Location | None = None,
    output: Location | None = None,
    cluster: Cluster = THIS_MACHINE,
    progress: ProgressTo = False,
) -> list[SubsetReport]: ...


def subset(
    corpus: Location,
    fraction: float | Sequence[float] | None = None,
    *,
    samples: int | None = None,
    rule: SubsetRule = BY_SOURCE,
    file: Location | None = None,
    output: Location | None = None,
    cluster: Cluster = THIS_MACHINE,
    progress: ProgressTo = False,
) -> SubsetReport | list[SubsetReport]:
    """Take a subset of a corpus, or several: write a file that names its keys, or copy it.

    Subsets by one rule are nested, whatever their sizes and however the corpus is cut into shards.
    Every proxy has the same keys, save those that its ledger names.

    Args:
        corpus: fsspec URL, of a corpus or of a subset file.
        fraction: above 0, at most 1, of the keys that fulfil the rule. Neither this nor `samples`
            takes all of them. For several fractions keys are ranked a single time.
        samples: how many keys instead, as the first proxy that takes a source has them.
        rule: which keys are taken first, or whole shards.
        file: URL of the subset file, `.subset.parquet`; by default named after corpus and size
            (`demo-0.25`; of a subset `demo-0.25-0.5`), with a digest of the condition where there
            is one (`demo-where-1f2e3d4c`, `demo-where-1f2e3d4c-0.25`), in the working directory.
            `{}` in it stands for the fraction.
        output: URL of a corpus to copy the subset to, instead of writing a file. `{}` in it stands
            for the fraction.
        cluster: where to copy. A small subset is copied in this process where none is given.
        progress: True shows a bar; a function is called after every shard of a copy; keys count.

    Returns:
        A report; for several fractions a list of them, in their order.

    Raises:
        RequestError: the request cannot be carried out as it stands.
        CorpusError, SourceError: the corpus is damaged, or cannot be read just now.
        StorageError: the result cannot be written.
        BuildError: Ray failed while copying.
    """
    if file is not None and output is not None:
        raise RequestError("a subset becomes a file or is copied to an output, not both")
    checks.instance_of("rule", rule, SubsetRule)
    checks.instance_of("cluster", cluster, Cluster)
    for name, asked in (("file", file), ("output", output)):
        if asked is not None and not plain(asked).strip():
            raise RequestError(f"{name} is empty; give the path or URL to write to")
    has_several = isinstance(fraction, Sequence)
    with shown(progress, "pictures") as on_progress:
        fractions = fraction if isinstance(fraction, Sequence) else [fraction]
        sizes = [_Size(each, samples) for each in fractions]
        on_progress(Progress(0, phase="opening the corpus"))
        opened = open_corpus(corpus)
        opened.finished()
        place = f"{_own_name(opened, plain(corpus))}-{_name_part(sizes, rule)}{SUFFIX}"
        if (asked := file if output is None else output) is not None:
            place = plain(asked)
        if len(sizes) > 1 and SIZE_MARK not in place:
            raise RequestError(
                f"{place}: for several fractions the place needs a {SIZE_MARK}, which stands for "
                "each"
            )
        if output is None and not is_subset_file(place):
            raise RequestError(f"file: found {place!r}; its name must end in {SUFFIX}")
        copied = output is not None
        targets = [_target(opened, place.replace(SIZE_MARK, size.label), copied) for size in sizes]
        subsets, likeness = _chosen(opened, sizes, rule, on_progress)
        available = None if rule.whole_shards else counted_keys(opened)
        reports = []
        for target, chosen in zip(targets, subsets, strict=True):
            if output is None:
                on_progress(Progress(0, phase="writing the subset file"))
                write_subset_file(chosen, target)
                report = SubsetReport.of(chosen, target)
                report.complete = True
            else:
                report = copy_subset(chosen, target, cluster=cluster, on_progress=on_progress)
            report.likeness = likeness
            report.available = available
            reports.append(report)
    return reports if has_several else reports[0]


def _own_name(opened: Corpus, url: str) -> str:
    """The name of a corpus; of a subset that of its file or folder, as a half of a quarter is no
    half of the corpus."""
    if opened.header.parent is None:
        return opened.header.name
    return posixpath.basename(absolute(url).rstrip("/")).removesuffix(SUFFIX)


def _name_part(sizes: Sequence[_Size], rule: SubsetRule) -> str:
    """What a file's name says of a subset: its condition, by digest, and its size."""
    if rule.where is None:
        return SIZE_MARK
    condition = "\0".join((rule.where, rule.described_by or ""))
    part = f"where-{sha256(condition.encode()).hexdigest()[:8]}"
    return part if all(size.is_all for size in sizes) else f"{part}-{SIZE_MARK}"


def _target(corpus: Corpus, place: str, copied: bool) -> str:
    """The absolute URL of a file or copy that may be written there."""
    root = absolute(place)
    if not copied:
        file = check_output(place, [corpus.url], name="file")
        check_file_place(file, "file")
        return file
    if root == corpus.url:
        raise RequestError(f"output is {root}, which is the corpus itself")
    return check_output(place, [corpus.url], marker=CORPUS_FILE)


@dataclass(frozen=True, slots=True)
class _Size:
    """How much is asked for; neither means all."""

    fraction: float | None
    samples: int | None

    def __post_init__(self) -> None:
        if self.fraction is not None and self.samples is not None:
            raise RequestError("a subset has a fraction or a number of samples, not both")
        if self.fraction is not None:
            checks.share("fraction", self.fraction, above_zero=True)
        if self.samples is not None:
            checks.whole_number("samples", self.samples)

    @property
    def label(self) -> str:
        if self.samples is not None:
            return str(self.samples)
        return "all" if self.fraction is None else f"{self.fraction:g}"

    @property
    def is_all(self) -> bool:
        return self.fraction is None and self.samples is None

    def of(self, count: int, unit: str) -> int:
        """How many of so many keys or shards are taken."""
        if self.samples is not None:
            return self.samples
        return count_taken(1 if self.fraction is None else self.fraction, count, unit)


def _chosen(
    corpus: Corpus, sizes: Sequence[_Size], rule: SubsetRule, on_progress: OnProgress
) -> tuple[Iterator[Corpus], tuple[ShardLikeness, ...]]:
    """The subsets one after the other, and what whole shards do to randomness."""
    all_are_all = all(size.is_all for size in sizes)
    if not rule.whole_shards:
        if all_are_all and rule.where is None:
            if corpus.selection is None:
                raise RequestError(
                    "a subset needs a fraction, a number of samples, or a where expression"
                )
            return iter([corpus]), ()
        keys = rank_keys(corpus, rule, on_progress=on_progress)
        return (keys.first(size.of(keys.count, "sample")) for size in sizes), ()
    if all_are_all or any(size.samples is not None for size in sizes):
        raise RequestError("whole shards: give a fraction; each shard has as many as it has")
    shards = rank_shards(corpus, rule, on_progress=on_progress)
    return (shards.first(size.of(shards.count, "shard")) for size in sizes), shards.likeness()
