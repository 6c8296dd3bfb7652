"""A dataset repository of the Hugging Face Hub: its files, and commits to it.

Needs `huggingface_hub`, which the extra `hub` installs. The token is that of `HF_TOKEN`, or of
`hf auth login`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

from sgt_data.errors import RequestError, SourceError, StorageError
from sgt_data.extras import install_hint
from sgt_data.files.reading import read_bytes
from sgt_data.files.retries import http_status, retried
from sgt_data.files.urls import join, open_filesystem

_Value = TypeVar("_Value")

MAIN = "main"
_DATASET = "dataset"
_NAME = re.compile(r"\b[\w\-.]{1,96}\b/\b[\w\-.]{1,96}\b", re.ASCII)
_ADVICE = {
    400: "it refuses what was sent",
    401: "the token is missing or not valid: run `hf auth login`, or set HF_TOKEN",
    402: "the storage of the account does not allow it",
    403: "the token does not allow it: it needs write access to the repository and its owner",
    404: "the repository does not exist, or the token may not see it",
    409: "something else is changing the repository; the same command continues",
    413: "one request was too large",
    429: "too many requests or commits in this hour; run the same command later, it continues",
}
"""What an HTTP status of the Hub means for the person who pushes."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file in a repository.

    Attributes:
        nbytes: its size.
        sha256: its SHA-256; None where the Hub does not state it.
    """

    nbytes: int
    sha256: str | None

    def matches(self, digest: Mapping[str, Any]) -> bool:
        """Whether the file can be the one whose `bytes` and `sha256` a receipt states."""
        return self.nbytes == digest["bytes"] and self.sha256 in (None, digest["sha256"])


def require_hub() -> None:
    """Check that the libraries of the extra `hub` are installed.

    Raises:
        RequestError: one of them is not.
    """
    try:
        import huggingface_hub  # noqa: F401
        import jinja2  # noqa: F401
    except ImportError as error:
        raise RequestError(
            f"a push needs {error.name}, which is not installed: {install_hint('hub')}"
        ) from error


def check_repository_name(repo: str) -> None:
    """Check that the name of a repository has the form `owner/name`.

    Raises:
        RequestError: it has another form.
    """
    valid = _NAME.fullmatch(repo) and not repo.endswith(".git")
    if not valid or "--" in repo or ".." in repo:
        raise RequestError(
            f"repo: found {repo!r}; it must be the name of a dataset on the Hub: OWNER/NAME"
        )


def repository_url(repo: str, revision: str = MAIN) -> str:
    """The fsspec URL at which a branch of a dataset repository is read."""
    return f"hf://datasets/{repo}" + (f"@{quote(revision, safe='')}" if revision != MAIN else "")


class HubRepository:
    """A branch of a dataset repository of the Hugging Face Hub.

    Attributes:
        repo: name of the repository, `owner/name`.
        revision: name of the branch.
        url: fsspec URL at which the branch is read.
    """

    def __init__(self, repo: str, revision: str = MAIN, private: bool = False) -> None:
        """Open the branch; create the repository and the branch where they are missing.

        Args:
            repo: name of the repository, `owner/name`.
            revision: name of the branch; a new branch begins at the newest commit of `main`.
            private: create a private repository, and refuse a public one.

        Raises:
            RequestError: the extra `hub` is not installed; or the repository exists and is public,
                but must be private.
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
                    f"{self.url} exists already, and everyone can see it; make it private on the "
                    "Hub first, or give another repository"
                )
        if revision != MAIN:
            self._ask(
                lambda: self._api.create_branch(
                    repo, repo_type=_DATASET, branch=revision, exist_ok=True
                )
            )
        open_filesystem(self.url)[0].invalidate_cache()

    def files(self) -> dict[str, StoredFile]:
        """All files of the branch, by path.

        Raises:
            StorageError: the Hub does not allow it, or cannot be reached.
        """
        from huggingface_hub.hf_api import RepoFile

        def list_tree() -> dict[str, StoredFile]:
            tree = self._api.list_repo_tree(
                self.repo, repo_type=_DATASET, revision=self.revision, recursive=True
            )
            return {
                file.path: StoredFile(file.size, file.lfs.sha256 if file.lfs else None)
                for file in tree
                if isinstance(file, RepoFile)
            }

        return self._ask(list_tree)

    def read(self, path: str) -> bytes:
        """The content of a file of the branch.

        Raises:
            SourceError: the file is missing, or cannot be read.
        """
        return read_bytes(join(self.url, path))

    def commit(
        self, message: str, files: Mapping[str, str | bytes], removed: Collection[str] = ()
    ) -> None:
        """Commit files: all of them in one step, or none.

        Files that the repository already has are not sent again.

        Args:
            message: message of the commit.
            files: path of a local file, or content, by path in the repository.
            removed: paths of files that the repository has, and is to lose.

        Raises:
            StorageError: the Hub does not allow it, or cannot be reached.
        """
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        def send() -> None:
            # new operations at every attempt, so that it asks again what the repository has
            operations = [CommitOperationAdd(path, content) for path, content in files.items()]
            removals = map(CommitOperationDelete, removed)
            self._api.create_commit(
                self.repo, [*operations, *removals],
                commit_message=message, repo_type=_DATASET, revision=self.revision,
            )  # fmt: skip

        with _no_bars():
            self._ask(send)

    def drop_cached_listing(self) -> None:
        """Let readers in this process see the files that the branch has now."""
        open_filesystem(self.url)[0].invalidate_cache()

    def _ask(self, request: Callable[[], _Value]) -> _Value:
        """Send a request, again where it fails for a moment, and explain its failure."""
        try:
            return retried(request, f"cannot push to {self.url}")
        except SourceError as error:
            status = http_status(error.__cause__)
            server_message = getattr(error.__cause__, "server_message", None)
            message = str(error)
            if status is not None:
                message = f"cannot push to {self.url}: the Hub answered {status}"
                message += f": {_ADVICE[status]}" if status in _ADVICE else ""
                message += f" ({server_message})" if server_message else ""
            raise StorageError(message) from error


@contextmanager
def _no_bars() -> Iterator[None]:
    """Switch off the progress bars of huggingface_hub, beside which ours could not be read."""
    from huggingface_hub.utils.tqdm import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    disabled_before = are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    finally:
        if not disabled_before:
            enable_progress_bars()
