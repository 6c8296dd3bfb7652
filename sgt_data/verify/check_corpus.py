"""Check a corpus, or a subset file, against all that it promises.

Without `deep` no tar is opened: header, receipts, indexes and ledgers must agree with one another
and with the sizes of the files. With `deep` every byte is read: digests and members are compared,
and every target is decoded and compared with its facts.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import groupby

from sgt_data.corpus.header import HOLDS_SECRET, CorpusHeader, header_secrets
from sgt_data.corpus.identity import bank_digest, proxy_fingerprint
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.own_banks import own_bank
from sgt_data.corpus.paths import (
    CORPUS_FILE,
    INPUT,
    REPOSITORY_FILES,
    index_path,
    quarantine_path,
    receipt_path,
    receipts_folder,
    tar_path,
)
from sgt_data.corpus.rolled_receipts import ROLLED
from sgt_data.errors import CorpusError, LeavesRoot, RequestError
from sgt_data.files.read_ahead import read_ahead, threads_for
from sgt_data.files.reading import list_files
from sgt_data.files.side_files import writer_of
from sgt_data.files.urls import Location, plain
from sgt_data.names import is_shard
from sgt_data.progress import OnProgress, Progress, ProgressTo
from sgt_data.progress_display import shown
from sgt_data.redaction import has_secrets
from sgt_data.subsets.open_corpus import open_corpus
from sgt_data.subsets.subset_file import is_subset_file
from sgt_data.verify.check_across_shards import AddedShards, compare_folders
from sgt_data.verify.check_rolled import check_rolled
from sgt_data.verify.check_shard import check_shard
from sgt_data.verify.check_subset_file import check_subset
from sgt_data.verify.findings import Finding, Verdict


def verify_corpus(url: Location, *, deep: bool = False, progress: ProgressTo = False) -> Verdict:
    """Check a corpus; or whether the corpus of a subset file has what the file promises.

    Args:
        url: fsspec URL of a corpus, or of a subset file.
        deep: read every tar and decode every target; not for subset files, which have no tars.
        progress: True shows a bar; a function is called after every shard, of which it counts.

    Raises:
        RequestError: there is no corpus at `url`; or it is a subset file, and `deep` is asked for.
        CorpusError: the header cannot be read.
    """
    with shown(progress, "shards") as on_progress:
        return _verify(plain(url), deep, on_progress)


def _verify(url: str, deep: bool, on_progress: OnProgress) -> Verdict:
    on_progress(Progress(0, phase="listing files"))
    try:
        corpus = open_corpus(url)
    except LeavesRoot as why:
        place = url if is_subset_file(url) else CORPUS_FILE
        return Verdict(0, 0, (Finding(place, str(why)),))
    if corpus.selection is not None:
        return _verify_subset(corpus, url, deep, on_progress)
    files = list_files(corpus.url)
    known = _known_shards(corpus, files)
    findings = [*_check_header(corpus), *_check_files(corpus, files, known)]
    findings += check_rolled(corpus, files, deep=deep)
    number = {place: number for number, place in enumerate(known)}
    in_turn = sorted(known, key=_by_shard(known))
    phase = "reading every byte" if deep else "reading receipts and indexes"
    on_progress(Progress(0, len(known), phase=phase))
    threads = (os.cpu_count() or 1) if deep else threads_for(corpus.url)
    added, done = AddedShards(corpus), 0
    own: list[tuple[int, Finding]] = []
    between: list[tuple[int, Finding]] = []
    not_decoded: Counter[str] = Counter()
    work = read_ahead(
        lambda place: check_shard(corpus, *place, files=files, deep=deep), in_turn, threads
    )
    with closing(work) as checked:
        for _, of_shard in groupby(checked, lambda shard: shard.name):
            folders = []
            for shard in of_shard:
                folders.append(shard)
                own += [(number[shard.folder, shard.name], each) for each in shard.findings]
                not_decoded.update(shard.not_decoded)
                done += 1
                on_progress(Progress(done, len(known), phase=phase))
            between += [
                (number[shard.folder, shard.name], finding)
                for shard, finding in compare_folders(
                    folders, has_inputs=INPUT in corpus.folders, bases=corpus.bases
                )
            ]
            added.add(folders)
    on_progress(Progress(done, len(known), phase="comparing the shards"))
    for numbered in (own, between):  # in the order of the corpus, folder by folder
        findings += [finding for _, finding in sorted(numbered, key=lambda each: each[0])]
    findings += added.check()
    inputs = added.samples_of(INPUT) if INPUT in corpus.folders else 0
    samples = sum(map(added.samples_of, corpus.folders)) - inputs
    return Verdict(
        len(known), samples, tuple(findings), not_decoded=dict(not_decoded), inputs=inputs,
        limit=corpus.header.limit, accepted=_accepted_files(files, known),
    )  # fmt: skip


def _by_shard(known: Sequence[tuple[str, str]]) -> Callable[[tuple[str, str]], int]:
    """A key of sorting by which the folders of one shard come together."""
    first: dict[str, int] = {}
    for number, (_, shard) in enumerate(known):
        first.setdefault(shard, number)
    return lambda place: first[place[1]]


def _verify_subset(subset: Corpus, url: str, deep: bool, on_progress: OnProgress) -> Verdict:
    if deep:
        raise RequestError(f"a subset has no tars of its own; verify {subset.url} --deep")
    secret = has_secrets(str((subset.header.parent or {}).get("url", "")))
    findings = (
        *([Finding(url, f"field parent.url {HOLDS_SECRET}")] if secret else []),
        *check_subset(subset, on_progress),
    )
    return Verdict(
        sum(len(subset.shards(folder)) for folder in subset.folders),
        sum(sum(subset.samples_per_shard(proxy)) for proxy in subset.proxies),
        findings,
        subset.url,
        inputs=sum(subset.samples_per_shard(INPUT)) if INPUT in subset.folders else 0,
    )


def _known_shards(corpus: Corpus, files: Mapping[str, int]) -> list[tuple[str, str]]:
    """Folder and name of every shard that the header or a receipt names."""
    known: dict[tuple[str, str], None] = {}
    for folder in corpus.folders:
        for shard in corpus.header.shards.get(folder, ()):
            known[folder, shard] = None
        prefix = receipts_folder(folder)
        for path in files:
            name = path.removeprefix(prefix).removesuffix(".json")
            if path == f"{prefix}{name}.json" and is_shard(name):
                known[folder, name] = None
    return list(known)


def _check_header(corpus: Corpus) -> Iterator[Finding]:
    header = corpus.header
    for field in header_secrets(header):
        yield Finding(CORPUS_FILE, f"field {field} {HOLDS_SECRET}")
    if not header.complete and header.limit is None:
        yield Finding(CORPUS_FILE, "the build is not complete; run the same build again")
    for folder in corpus.folders:
        try:
            fingerprint = proxy_fingerprint(header.identity, folder)
        except (KeyError, TypeError):
            fingerprint = None
        if header.fingerprints.get(folder) != fingerprint:
            yield Finding(CORPUS_FILE, f"the fingerprint of {folder} is not that of its identity")
        yield from _check_own_bank(header, folder)


def _check_own_bank(header: CorpusHeader, folder: str) -> Iterator[Finding]:
    """Whether the lines that `corpus.json` keeps are those of the build."""
    try:
        bank = own_bank(header, folder)
        if bank is None or header.identity["banks"][folder] == bank_digest(bank):
            return
        problem = f"the instructions of {folder} are not those of its identity"
    except (CorpusError, KeyError, TypeError) as why:
        problem = str(why) if isinstance(why, CorpusError) else "field identity has no banks"
    yield Finding(CORPUS_FILE, problem)


def _own_files(known: Sequence[tuple[str, str]]) -> set[str]:
    """Paths of all files that a corpus of these shards may have."""
    paths = (tar_path, index_path, quarantine_path, receipt_path)
    return {CORPUS_FILE, *REPOSITORY_FILES} | {
        path(folder, shard) for folder, shard in known for path in paths
    }


def _check_files(
    corpus: Corpus, files: Mapping[str, int], known: Sequence[tuple[str, str]]
) -> Iterator[Finding]:
    """Missing receipts, and files that belong to no shard."""
    for folder, shard in known:
        receipt = receipt_path(folder, shard)
        if receipt not in files:
            yield Finding(receipt, "the receipt is missing")
        elif corpus.header.complete and shard not in corpus.header.shards.get(folder, ()):
            yield Finding(receipt, f"{CORPUS_FILE} does not list this shard")
    if corpus.header.complete:
        own = _own_files(known)
        for path in sorted(files.keys() - own):
            if writer_of(path, own) is None:
                yield Finding(path, "no shard of the corpus has this file")


def _accepted_files(files: Mapping[str, int], known: Sequence[tuple[str, str]]) -> dict[str, int]:
    """By who wrote them: how many files lie in the corpus that are not of it, and are accepted."""
    own = _own_files(known)
    others = [path for path in files.keys() - own if not path.startswith(f"{ROLLED}/")]
    writers = (writer_of(path, own) for path in others)
    return dict(sorted(Counter(writer for writer in writers if writer is not None).items()))
