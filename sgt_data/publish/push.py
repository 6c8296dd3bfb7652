"""Push a corpus, or a subset of one, into a dataset repository of the Hugging Face Hub.

A commit of the Hub is atomic and holds a shard's receipt together with its tar, so a reader never
sees half a shard. The Hub bounds the commits per hour, so a push makes few: the first writes the
header and the card, one writes each batch of shards, the last writes the final header.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from tempfile import TemporaryDirectory

from sgt_data.corpus.header import encode_header
from sgt_data.corpus.paths import CORPUS_FILE, LEFT_OUT_FILE, README_FILE
from sgt_data.corpus.picture_licences import read_licences
from sgt_data.corpus.readme import is_ours
from sgt_data.corpus.receipt import Receipt
from sgt_data.errors import CorpusError, SourceError
from sgt_data.files.reading import exists, read_bytes
from sgt_data.files.urls import Location, below, plain
from sgt_data.progress import OnProgress, Progress, ProgressTo
from sgt_data.progress_display import shown
from sgt_data.publish.card import corpus_card
from sgt_data.publish.hub import (
    MAIN,
    HubRepository,
    StoredFile,
    check_repository_name,
    repository_url,
    require_hub,
)
from sgt_data.publish.left_out import encode_record, left_out_record
from sgt_data.publish.push_plan import (
    LeftOut,
    PushPlan,
    ShardToPush,
    batches,
    check_no_secrets,
    plan_push,
)
from sgt_data.publish.repository_state import check_complete, pushed_header, pushed_receipts
from sgt_data.publish.shard_files import ShardFiles, shard_files
from sgt_data.result import Failure, Result
from sgt_data.subsets.open_corpus import open_corpus
from sgt_data.subsets.shard_copy import AT_ONCE
from sgt_data.subsets.subset_headers import begun_header, finished_header
from sgt_data.value_text import counted


@dataclass(slots=True, repr=False)
class PushReport(Result):
    """What came of a push. A failure's part is `folder/shard` of a shard that could not be read.

    Attributes:
        corpus: URL of the corpus, or of the subset file.
        repository: fsspec URL at which readers open the repository.
        totals: totals of what is published, by folder.
        licences: number of pictures by licence, over the whole corpus.
        left_out: folders with pictures that are not published.
        dry_run: whether nothing was sent because only the plan was asked for.
        pushed_shards: shards that this push sent.
        found_shards: shards that the repository held before.
        pushed_bytes: bytes of all files that this push sent for shards.
        commits: commits that this push made.
    """

    corpus: str
    repository: str
    totals: Mapping[str, Mapping[str, int]]
    licences: Mapping[str, int]
    left_out: tuple[LeftOut, ...]
    dry_run: bool = False
    pushed_shards: int = 0
    found_shards: int = 0
    pushed_bytes: int = 0
    commits: int = 0


def push_corpus(
    corpus: Location,
    repo: str,
    *,
    pictures: bool = False,
    private: bool = False,
    revision: str | None = None,
    dry_run: bool = False,
    progress: ProgressTo = False,
) -> PushReport:
    """Push a complete corpus to the Hub, or continue an unfinished push.

    Shards that the repository already holds are kept. A subset becomes a corpus of its own, just as
    its copy would be. Without pictures, the corpus has neither `input/` nor the proxies whose
    targets show pictures, and its header says so.

    Args:
        corpus: fsspec URL of a corpus or of a subset file.
        repo: name of a dataset repository, `owner/name`; a missing one is created.
        pictures: push the pictures too; all their licences must allow it.
        private: create a private repository, and refuse a public one.
        revision: name of a branch; None for `main`.
        dry_run: only report what would be pushed; the Hub is not asked.
        progress: True shows a bar; a function is called before and after every commit of shards, of
            which it counts.

    Raises:
        RequestError: the corpus is not complete, or without pictures nothing of it is left; it
            holds the password or signature of a URL; the repository holds something else; the extra
            `hub` is not installed.
        CorpusError, SourceError: the corpus is damaged, or cannot be read just now.
        StorageError: the Hub does not allow it, or cannot be reached.
    """
    check_repository_name(repo)
    corpus = plain(corpus)
    if not dry_run:
        require_hub()
    opened = open_corpus(corpus)
    opened.finished()
    check_no_secrets(opened, corpus)
    plan = plan_push(opened, read_licences(opened), pictures)
    branch = revision or MAIN
    report = PushReport(
        corpus, repository_url(repo, branch),
        {folder: plan.header.totals[folder] for folder in plan.folders},
        plan.licences, plan.left_out, dry_run,
    )  # fmt: skip
    if dry_run:
        return report
    with shown(progress, "shards") as on_progress:
        on_progress(Progress(0, phase="asking the Hub what it holds"))
        repository = HubRepository(repo, branch, private)
        _Push(plan, repository, repository.files(), report, on_progress).run()
    return report


@dataclass(slots=True)
class _Push:
    """A push under way; `stored` are the files that the repository held when it began."""

    plan: PushPlan
    repository: HubRepository
    stored: Mapping[str, StoredFile]
    report: PushReport
    on_progress: OnProgress

    def run(self) -> None:
        header = self.plan.header
        existing = pushed_header(self.repository, self.stored, header)
        receipts = pushed_receipts(self.repository, self.stored, self.plan)
        self.report.found_shards = sum(map(len, receipts.values()))
        shards = self.plan.shards()
        self._tell(len(shards), phase="comparing receipts")
        missing = [shard for shard in shards if shard.shard not in receipts[shard.folder]]
        beside = {**self._card(), **self._record()}
        begun = existing is not None and existing.fingerprints == header.fingerprints
        if not begun or (missing and existing is not None and existing.complete):
            self._commit("Begin", {CORPUS_FILE: encode_header(begun_header(header)), **beside})
        for batch in batches(missing):
            self._send(batch, len(shards), receipts)
        self.report.complete = not self.report.failures
        if self.report.complete:
            check_complete(self.repository, receipts)
            if self.plan.corpus.selection is not None:
                header = finished_header(header, receipts)
            final = {CORPUS_FILE: encode_header(header), **beside}
            stale = {LEFT_OUT_FILE} & self.stored.keys() - beside.keys()
            if missing or existing is None or stale or self._differs(final):
                self._commit("Complete", final, stale)
        self.repository.drop_cached_listing()

    def _commit(
        self, what: str, files: Mapping[str, str | bytes], removed: Collection[str] = ()
    ) -> None:
        self.repository.commit(f"{what} ({self.plan.header.name})", files, removed)
        self.report.commits += 1

    def _differs(self, files: Mapping[str, bytes]) -> bool:
        """Whether the repository lacks one of these files, or has another content for it."""
        return any(
            path not in self.stored or self.repository.read(path) != data
            for path, data in files.items()
        )

    def _send(
        self,
        batch: Sequence[ShardToPush],
        total: int,
        receipts: Mapping[str, dict[str, Receipt]],
    ) -> None:
        """Send a batch in one commit, and add the receipts of its shards to `receipts`."""
        self._tell(total, f"preparing {counted(len(batch), 'shard')}")
        with TemporaryDirectory(prefix="sgt-push-") as scratch:
            prepared = self._prepare(batch, scratch)
            files = {path: local for shard in prepared for path, local in shard.local_paths.items()}
            if not files:
                return
            nbytes = sum(map(os.path.getsize, files.values()))
            self._tell(total, f"sending {counted(len(prepared), 'shard')}, {nbytes / 1e6:,.0f} MB")
            done = self._shards_done
            self._commit(f"Shards {done + 1} to {done + len(prepared)} of {total}", files)
        for shard in prepared:
            receipts[shard.receipt["proxy"]][shard.receipt["shard"]] = shard.receipt
        self.report.pushed_shards += len(prepared)
        self.report.pushed_bytes += nbytes
        self._tell(total)

    def _prepare(self, batch: Sequence[ShardToPush], scratch: str) -> list[ShardFiles]:
        """The files of each shard of a batch; a shard that cannot be read becomes a failure."""

        def prepare(shard: ShardToPush) -> ShardFiles | Failure:
            try:
                return shard_files(self.plan.corpus, shard.folder, shard.shard, scratch)
            except (CorpusError, SourceError) as error:
                return Failure(f"{shard.folder}/{shard.shard}", str(error))

        with ThreadPoolExecutor(AT_ONCE) as threads:
            outcomes = list(threads.map(prepare, batch))
        self.report.failures += [each for each in outcomes if isinstance(each, Failure)]
        return [each for each in outcomes if isinstance(each, ShardFiles)]

    @property
    def _shards_done(self) -> int:
        return self.report.found_shards + self.report.pushed_shards

    def _tell(self, total: int, note: str = "", phase: str = "pushing") -> None:
        kept = self.report.found_shards
        self.on_progress(Progress(self._shards_done, total, note=note, phase=phase, kept=kept))

    def _card(self) -> dict[str, bytes]:
        """The card by its path; nothing where the repository has a README.md of a person's own."""
        if README_FILE in self.stored and not is_ours(self.repository.read(README_FILE)):
            self.report.notes.append(
                f"{README_FILE} of {self.repository.url} was not written by this package, and is "
                "kept as it is"
            )
            return {}
        text = corpus_card(self.plan, self.repository.repo, self.repository.revision)
        return {README_FILE: text.encode()}

    def _record(self) -> dict[str, bytes]:
        """What states how the pictures are put back, by its path; nothing where none are left out.

        A copy that lacks pictures passes on what it states itself.
        """
        plan = self.plan
        if not plan.corpus.header.left_out:
            left_out = tuple(folder.folder for folder in plan.left_out)
            if not left_out:
                return {}
            record = left_out_record(plan.corpus, plan.header, left_out)
            return {LEFT_OUT_FILE: encode_record(record)}
        place = below(plan.corpus.url, LEFT_OUT_FILE)
        is_the_same = plan.corpus.selection is None and not plan.left_out
        return {LEFT_OUT_FILE: read_bytes(place)} if is_the_same and exists(place) else {}
