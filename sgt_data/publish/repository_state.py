"""What a repository already holds of a corpus, and whether it may hold this corpus."""

from __future__ import annotations

from collections.abc import Mapping

from sgt_data.corpus.committed_receipts import committed_receipts, read_receipts
from sgt_data.corpus.header import CorpusHeader, read_header
from sgt_data.corpus.identity import check_same_build, of_proxies
from sgt_data.corpus.paths import CORPUS_FILE, REPOSITORY_FILES, receipt_path
from sgt_data.corpus.receipt import Receipt
from sgt_data.errors import CorpusMismatch, RequestError, StorageError
from sgt_data.names import RECEIPTS
from sgt_data.publish.hub import HubRepository, StoredFile
from sgt_data.publish.push_plan import PushPlan
from sgt_data.publish.shard_files import committed_files


def pushed_header(
    repository: HubRepository, stored: Mapping[str, StoredFile], header: CorpusHeader
) -> CorpusHeader | None:
    """The header of the corpus that a repository holds; None where it holds no corpus.

    Args:
        repository: the repository to push to.
        stored: its files by path.
        header: header of the corpus to push.

    Raises:
        RequestError: the repository holds another corpus, or files of something else.
        CorpusMismatch: it holds folders that this push leaves out.
    """
    if CORPUS_FILE not in stored:
        other_files = sorted(stored.keys() - set(REPOSITORY_FILES))
        if other_files:
            raise RequestError(
                f"{repository.url} holds no corpus, but other files, such as {other_files[0]}; "
                "give an empty repository, or a new one"
            )
        return None
    existing = read_header(repository.url)
    if existing is None:
        return None
    identity = of_proxies(existing.identity, header.identity["proxies"])
    check_same_build(identity, header.identity, repository.url, "repository")
    if missing := sorted(existing.fingerprints.keys() - header.fingerprints.keys()):
        raise CorpusMismatch(
            f"{repository.url} already holds {', '.join(missing)}, which this push would leave "
            "out; a push takes nothing back. Give --pictures, or another repository"
        )
    return existing


def pushed_receipts(
    repository: HubRepository, stored: Mapping[str, StoredFile], plan: PushPlan
) -> dict[str, dict[str, Receipt]]:
    """Receipts of the shards that the repository already holds, by folder and shard.

    Raises:
        CorpusError: a shard in the repository is of another build, or its receipt is damaged.
        SourceError: a receipt cannot be read just now.
    """
    fingerprints = plan.header.fingerprints
    if not any(path.startswith(f"{RECEIPTS}/") for path in stored):
        return {folder: {} for folder in fingerprints}
    corpus = plan.corpus
    own = read_receipts(corpus.url, fingerprints) if corpus.selection is None else None
    return {
        folder: {
            shard: receipt
            for shard, receipt in receipts.items()
            if (own is None or own[folder].get(shard) == receipt)
            and _is_in_repository(receipt, stored, plan)
        }
        for folder, receipts in committed_receipts(repository.url, fingerprints).items()
    }


def check_complete(
    repository: HubRepository, receipts: Mapping[str, Mapping[str, Receipt]]
) -> None:
    """Check that a repository holds every file of a corpus, before its header says so.

    Args:
        repository: the repository, whose files are listed anew.
        receipts: receipts of all shards, by folder and shard.

    Raises:
        StorageError: the repository lacks a file.
    """
    stored = repository.files()
    for folder, by_shard in receipts.items():
        for shard, receipt in by_shard.items():
            lacking = [
                path
                for path, digest in committed_files(receipt).items()
                if path not in stored or not stored[path].matches(digest)
            ]
            if receipt_path(folder, shard) not in stored:
                lacking.append(receipt_path(folder, shard))
            if lacking:
                raise StorageError(
                    f"{repository.url} does not have {lacking[0]} as it was sent; is there a "
                    ".gitignore, or does another push run? The same command continues"
                )


def _is_in_repository(receipt: Receipt, stored: Mapping[str, StoredFile], plan: PushPlan) -> bool:
    """Whether the repository holds a shard just as this push would send it.

    Of a whole corpus the receipt must be the same too, which is not compared here. Of a subset it
    is known only when the shard is cut out, so there the files that it commits are compared alone.
    """
    folder, shard = receipt["proxy"], receipt["shard"]
    if shard not in plan.header.shards[folder]:
        return False
    return all(
        path in stored and stored[path].matches(digest)
        for path, digest in committed_files(receipt).items()
    )
