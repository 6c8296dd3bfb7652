"""What a repository already holds of a corpus, and whether it may hold this one."""

from __future__ import annotations

from collections.abc import Mapping

from sgt_data.corpus.header import CorpusHeader, read_header
from sgt_data.corpus.identity import check_same_build, of_proxies
from sgt_data.corpus.layout import (
    BESIDE,
    CORPUS_FILE,
    RECEIPTS,
    receipt_path,
)
from sgt_data.corpus.receipt import Receipt, committed_receipts
from sgt_data.errors import CorpusMismatch, RequestError, StorageError
from sgt_data.publish.hub import HubRepository, StoredFile
from sgt_data.publish.selected_files import Consignment
from sgt_data.publish.shard_files import parts_of


def header_there(
    repository: HubRepository, stored: Mapping[str, StoredFile], header: CorpusHeader
) -> CorpusHeader | None:
    """The header of the corpus that the repository holds: this one, begun or complete; None where
    it is empty.

    Raises:
        RequestError: it holds something else.
    """
    if CORPUS_FILE not in stored:
        strange = sorted(stored.keys() - set(BESIDE))
        if strange:
            raise RequestError(
                f"{repository.url} holds no corpus, but other files, as {strange[0]}; give an "
                "empty repository, or a new one"
            )
        return None
    existing = read_header(repository.url)
    if existing is None:
        return None
    known = of_proxies(existing.identity, header.identity["proxies"])
    check_same_build(known, header.identity, repository.url, "repository")
    if gone := sorted(existing.fingerprints.keys() - header.fingerprints.keys()):
        raise CorpusMismatch(
            f"{repository.url} already holds {', '.join(gone)}, which this push would leave out; a "
            "push takes nothing back. Give --pictures, or another repository"
        )
    return existing


def receipts_there(
    repository: HubRepository, stored: Mapping[str, StoredFile], goods: Consignment
) -> dict[str, dict[str, Receipt]]:
    """Receipts of the shards that need not be sent, by folder and shard.

    Raises:
        CorpusError: a shard there is of another build, or its receipt is damaged.
        SourceError: a receipt cannot be read just now.
    """
    fingerprints = goods.header.fingerprints
    if not any(path.startswith(f"{RECEIPTS}/") for path in stored):
        return {folder: {} for folder in fingerprints}
    return {
        folder: {shard: one for shard, one in by_shard.items() if _stands(one, stored, goods)}
        for folder, by_shard in committed_receipts(repository.url, fingerprints).items()
    }


def _stands(receipt: Receipt, stored: Mapping[str, StoredFile], goods: Consignment) -> bool:
    """Whether a shard of this build is there as it would be sent: of a whole corpus with the very
    receipt, in any case with the files that it commits."""
    corpus, folder, shard = goods.corpus, receipt["proxy"], receipt["shard"]
    if shard not in goods.header.shards[folder]:
        return False
    if corpus.selection is None and corpus.receipt(folder, shard) != receipt:
        return False
    return all(
        path in stored and stored[path].is_that(digest)
        for path, digest in parts_of(receipt).items()
    )


def check_all_there(
    repository: HubRepository, receipts: Mapping[str, Mapping[str, Receipt]]
) -> None:
    """Look once more, before a header says that a corpus is complete.

    Raises:
        StorageError: the repository lacks a file of it.
    """
    stored = repository.files()
    for folder, by_shard in receipts.items():
        for shard, receipt in by_shard.items():
            lacking = [
                path
                for path, digest in parts_of(receipt).items()
                if path not in stored or not stored[path].is_that(digest)
            ]
            if receipt_path(folder, shard) not in stored:
                lacking.append(receipt_path(folder, shard))
            if lacking:
                raise StorageError(
                    f"{repository.url} does not have {lacking[0]} as it was sent; is there a "
                    ".gitignore, or does another push run? The same command goes on"
                )
