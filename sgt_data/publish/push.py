"""Push a corpus, or a subset of one, into a dataset repository of the Hugging Face Hub.

A commit there is atomic, and takes a shard's receipt together with its tar: so a reader never sees
half a shard. Commits are few, as the Hub bounds them: one for the header and the card, one for each
batch of shards, one for the final header.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from tempfile import TemporaryDirectory

from sgt_data.corpus.header import encode_header
from sgt_data.corpus.layout import CORPUS_FILE
from sgt_data.corpus.receipt import Receipt
from sgt_data.errors import CorpusError, SourceError
from sgt_data.publish.card import LeftOut, corpus_card, is_ours
from sgt_data.publish.hub import (
    MAIN,
    HubRepository,
    StoredFile,
    check_name,
    repository_url,
    require_hub,
)
from sgt_data.publish.repository_state import check_all_there, header_there, receipts_there
from sgt_data.publish.selected_files import (
    Consignment,
    Piece,
    batches,
    consign,
)
from sgt_data.publish.shard_files import ShardFiles, shard_files
from sgt_data.subsets.headers import begun_header, finished_header
from sgt_data.subsets.opening import open_corpus
from sgt_data.subsets.shard_copy import AT_ONCE

CARD = "README.md"

Progress = Callable[[int, int, str], None]
"""Called with the shards that are there, with all, and with what is being done."""


@dataclass(slots=True)
class PushReport:
    """What came of a push.

    Attributes:
        corpus, repository: from where, and where to (as readers open it).
        totals: of what is published, by folder.
        licences: samples by folder and licence.
        left_out: folders with pictures, which stay behind.
        dry_run: nothing was done; else
        complete: whether all of it is there,
        pushed_shards: that were sent now,
        found_shards: and before,
        pushed_bytes: of their files,
        commits: made now,
        failures: what could not be read, by folder and shard,
        notes: what a person must know.
    """

    corpus: str
    repository: str
    totals: Mapping[str, Mapping[str, int]]
    licences: Mapping[str, Mapping[str, int]]
    left_out: tuple[LeftOut, ...]
    dry_run: bool = False
    complete: bool = False
    pushed_shards: int = 0
    found_shards: int = 0
    pushed_bytes: int = 0
    commits: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def push_corpus(
    corpus: str,
    repo: str,
    *,
    pictures: bool = False,
    private: bool = False,
    revision: str | None = None,
    dry_run: bool = False,
    on_progress: Progress | None = None,
) -> PushReport:
    """Push a finished corpus to the Hub, or go on pushing it. What is committed there is kept.

    A subset becomes a corpus of its own, as a copy of it would. A corpus without its pictures is
    one without `input/` and without the proxies whose targets are pictures; its header says so.

    Args:
        corpus: fsspec URL, of a corpus or of a subset file.
        repo: of a dataset: `owner/name`. It is made if it is not there.
        pictures: push the pictures too. Only for those whose licences allow it.
        private: make a private repository.
        revision: a branch; `main` by default.
        dry_run: only say what would be pushed, and ask nobody.
        on_progress: told of progress.

    Raises:
        RequestError: the corpus is not complete, or nothing of it is left without its pictures; the
            repository holds something else; `huggingface_hub` is not installed.
        CorpusError, SourceError: the corpus is damaged, or cannot be read just now.
        StorageError: the Hub does not allow it, or cannot be reached.
    """
    check_name(repo)
    if not dry_run:
        require_hub()
    opened = open_corpus(corpus)
    opened.finished()
    goods = consign(opened, pictures)
    branch = revision or MAIN
    report = PushReport(
        corpus, repository_url(repo, branch),
        {folder: goods.header.totals[folder] for folder in goods.licences},
        goods.licences, goods.left_out, dry_run,
    )  # fmt: skip
    if dry_run:
        return report
    repository = HubRepository(repo, branch, private)
    _Push(goods, repository, repository.files(), report, on_progress).do()
    return report


@dataclass(slots=True)
class _Push:
    """One run: what is published, what was there as it began."""

    goods: Consignment
    repository: HubRepository
    stored: Mapping[str, StoredFile]
    report: PushReport
    on_progress: Progress | None

    def do(self) -> None:
        header = self.goods.header
        existing = header_there(self.repository, self.stored, header)
        receipts = receipts_there(self.repository, self.stored, self.goods)
        self.report.found_shards = sum(map(len, receipts.values()))
        pieces = self.goods.pieces()
        missing = [one for one in pieces if one.shard not in receipts[one.folder]]
        beside = self._card()
        begun = existing is not None and existing.fingerprints == header.fingerprints
        if not begun or (missing and existing is not None and existing.complete):
            self._commit("Begin", {CORPUS_FILE: encode_header(begun_header(header)), **beside})
        for batch in batches(missing):
            self._send(batch, len(pieces), receipts)
        self.report.complete = not self.report.failures
        if self.report.complete:
            check_all_there(self.repository, receipts)
            if self.goods.corpus.selection is not None:
                header = finished_header(header, receipts)
            final = {CORPUS_FILE: encode_header(header), **beside}
            if missing or existing is None or self._differs(final):
                self._commit("Complete", final)
        self.repository.forget()

    def _commit(self, what: str, files: Mapping[str, str | bytes]) -> None:
        self.repository.commit(f"{what} ({self.goods.header.name})", files)
        self.report.commits += 1

    def _differs(self, files: Mapping[str, bytes]) -> bool:
        """Whether the repository has others than these."""
        return any(
            path not in self.stored or self.repository.read(path) != data
            for path, data in files.items()
        )

    def _send(
        self, batch: Sequence[Piece], of: int, receipts: Mapping[str, dict[str, Receipt]]
    ) -> None:
        """One batch in one commit."""
        self._tell(of, f"{len(batch)} shards are made ready")
        with TemporaryDirectory(prefix="sgt-push-") as scratch:
            ready = self._made_ready(batch, scratch)
            places = {path: place for one in ready for path, place in one.places.items()}
            if not places:
                return
            nbytes = sum(map(os.path.getsize, places.values()))
            self._tell(of, f"{len(ready)} shards are sent, {nbytes / 1e6:,.0f} MB")
            there = self.report.found_shards + self.report.pushed_shards
            self._commit(f"Shards {there + 1} to {there + len(ready)} of {of}", places)
        for one in ready:
            receipts[one.receipt["proxy"]][one.receipt["shard"]] = one.receipt
        self.report.pushed_shards += len(ready)
        self.report.pushed_bytes += nbytes
        self._tell(of, "")

    def _made_ready(self, batch: Sequence[Piece], scratch: str) -> list[ShardFiles]:
        def lay(piece: Piece) -> ShardFiles | str:
            try:
                return shard_files(self.goods.corpus, piece.folder, piece.shard, scratch)
            except (CorpusError, SourceError) as why:
                return str(why)

        with ThreadPoolExecutor(AT_ONCE) as threads:
            found = list(threads.map(lay, batch))
        for piece, one in zip(batch, found, strict=True):
            if isinstance(one, str):
                self.report.failures[f"{piece.folder}/{piece.shard}"] = one
        return [one for one in found if not isinstance(one, str)]

    def _tell(self, of: int, what: str) -> None:
        if self.on_progress is not None:
            self.on_progress(self.report.found_shards + self.report.pushed_shards, of, what)

    def _card(self) -> dict[str, bytes]:
        """The card by its name, unless the repository has one of somebody's own."""
        if CARD in self.stored and not is_ours(self.repository.read(CARD)):
            self.report.notes.append(
                f"{CARD} of {self.repository.url} is not of a push, and is kept as it is"
            )
            return {}
        goods, repository = self.goods, self.repository
        text = corpus_card(
            goods.header, goods.licences, goods.left_out, repository.repo, repository.revision
        )
        return {CARD: text.encode()}
