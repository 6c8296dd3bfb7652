"""One dataset repository of the Hugging Face Hub: what lies in it, and commits to it.

Needs `huggingface_hub`, which the extra `hub` brings. The token is the one that it finds:
`HF_TOKEN`, or that of `hf auth login`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

from sgt_data.errors import RequestError, SourceError, StorageError
from sgt_data.files.reading import read_bytes
from sgt_data.files.retries import http_status, retried
from sgt_data.files.urls import join, open_filesystem

_Value = TypeVar("_Value")

MAIN = "main"
_DATASET = "dataset"
_NAME = re.compile(r"\b[\w\-.]{1,96}\b/\b[\w\-.]{1,96}\b", re.ASCII)
_TODO = {
    400: "it refuses what was sent",
    401: "it does not know the token, or there is none: `hf auth login`, or set HF_TOKEN",
    402: "the account's storage does not allow it",
    403: "the token may not write there: it needs write access to the repository and its owner",
    404: "there is no such repository, or the token may not see it",
    409: "something else is changing the repository; the same command goes on",
    413: "too much at once",
    429: "too many requests or commits in this hour; the same command goes on, later",
}
"""What a status of the Hub means for the person who pushes."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file in a repository: its size, and its SHA-256 where the Hub states it."""

    nbytes: int
    sha256: str | None

    def is_that(self, digest: Mapping[str, Any] | None) -> bool:
        """Whether it is the file of which a receipt states size and SHA-256, as far as can be told
        without reading it."""
        return (
            digest is not None
            and self.nbytes == digest["bytes"]
            and self.sha256 in (None, digest["sha256"])
        )


def require_hub() -> None:
    """Raises:
    RequestError: `huggingface_hub` is not installed.
    """
    try:
        import huggingface_hub  # noqa: F401
    except ImportError as why:
        raise RequestError(
            "pushing needs huggingface_hub, which is not installed: pip install 'sgt-data[hub]'"
        ) from why


def check_name(repo: str) -> str:
    """A repository's name, if it can be one: `owner/name`.

    Raises:
        RequestError: it cannot.
    """
    fits = _NAME.fullmatch(repo) and not repo.endswith(".git")
    if not fits or "--" in repo or ".." in repo:
        raise RequestError(
            f"repo: found {repo!r}; it is the name of a dataset on the Hub: OWNER/NAME"
        )
    return repo


def repository_url(repo: str, revision: str = MAIN) -> str:
    """Where its files are read."""
    return f"hf://datasets/{repo}" + (f"@{quote(revision, safe='')}" if revision != MAIN else "")


class HubRepository:
    """A branch of a dataset repository, made if it is not there."""

    def __init__(self, repo: str, revision: str = MAIN, private: bool = False) -> None:
        """
        Args:
            repo: `owner/name`.
            revision: the branch; a new one begins at the newest commit of `main`.
            private: nobody else sees it.

        Raises:
            RequestError: `huggingface_hub` is not installed; or the repository is there, and is not
                private.
            StorageError: the Hub does not allow it, or cannot be reached.
        """
        require_hub()
        from huggingface_hub import HfApi

        self.repo, self.revision = repo, revision
        self.url = repository_url(repo, revision)
        self._api = HfApi(library_name="sgt_data")
        self._ask(
            lambda: self._api.create_repo(
                repo, repo_type=_DATASET, private=private or None, exist_ok=True
            )
        )
        if private:
            info = self._ask(lambda: self._api.repo_info(repo, repo_type=_DATASET))
            if info.private is False:
                raise RequestError(
                    f"{self.url} is there already, for everyone to see; make it private on the Hub "
                    "first, or give another repository"
                )
        if revision != MAIN:
            self._ask(
                lambda: self._api.create_branch(
                    repo, repo_type=_DATASET, branch=revision, exist_ok=True
                )
            )
        open_filesystem(self.url)[0].invalidate_cache()

    def files(self) -> dict[str, StoredFile]:
        """Every file by its path.

        Raises:
            StorageError: the Hub does not answer.
        """

        from huggingface_hub.hf_api import RepoFile

        def listed() -> dict[str, StoredFile]:
            tree = self._api.list_repo_tree(
                self.repo, repo_type=_DATASET, revision=self.revision, recursive=True
            )
            return {
                one.path: StoredFile(one.size, one.lfs.sha256 if one.lfs else None)
                for one in tree
                if isinstance(one, RepoFile)
            }

        return self._ask(listed)

    def read(self, path: str) -> bytes:
        """A file.

        Raises:
            SourceError: it is not there, or cannot be read.
        """
        return read_bytes(join(self.url, path))

    def commit(self, message: str, files: Mapping[str, str | bytes]) -> None:
        """Put files there, all of them in one step or none. What is there already is not sent.

        Args:
            message: of the commit.
            files: by path: a local file's path, or content.

        Raises:
            StorageError: the Hub does not allow it, or cannot be reached.
        """
        from huggingface_hub import CommitOperationAdd

        def send() -> None:
            # anew at every attempt: it asks again what the repository has by now
            operations = [CommitOperationAdd(path, content) for path, content in files.items()]
            self._api.create_commit(
                self.repo, operations,
                commit_message=message, repo_type=_DATASET, revision=self.revision,
            )  # fmt: skip

        with _no_bars():
            self._ask(send)

    def forget(self) -> None:
        """Let readers of this process see what is there now."""
        open_filesystem(self.url)[0].invalidate_cache()

    def _ask(self, work: Callable[[], _Value]) -> _Value:
        try:
            return retried(work, f"cannot push to {self.url}")
        except SourceError as why:
            status = http_status(why.__cause__)
            said = getattr(why.__cause__, "server_message", None)
            message = str(why)
            if status is not None:
                message = f"cannot push to {self.url}: the Hub answered {status}"
                message += f": {_TODO[status]}" if status in _TODO else ""
                message += f" ({said})" if said else ""
            raise StorageError(message) from why


@contextmanager
def _no_bars() -> Iterator[None]:
    """Without the bars that huggingface_hub draws; ours says how far it is."""
    from huggingface_hub.utils.tqdm import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    before = are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    finally:
        if not before:
            enable_progress_bars()
