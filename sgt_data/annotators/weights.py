"""Weights of models: find them on disk or on the Hugging Face Hub, and compute their digest."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from sgt_data.errors import FileMissing, RequestError, SourceError
from sgt_data.files.fetching import copy_to_file
from sgt_data.files.tensor_files import beginning_problem
from sgt_data.files.urls import absolute, is_local
from sgt_data.redaction import HIDDEN, without_secrets

_HUB_FILES = ("*.json", "*.safetensors")


def find_folder(model: str, revision: str | None, field: str) -> tuple[str, str | None]:
    """Find a model in the layout of `transformers` (`config.json`, `*.safetensors`).

    Args:
        model: local folder, or id of a repository of the Hub, which is fetched.
        revision: commit, tag or branch of the repository.
        field: name of the manifest's field, for messages.

    Returns:
        Local path, and the commit of the Hub's repository (None for a local folder).

    Raises:
        RequestError: the model cannot be found or fetched; the message says what helps.
    """
    folder = Path(model).expanduser()
    if folder.is_dir():
        for name in ("config.json", "*.safetensors"):
            if not any(folder.glob(name)):
                raise RequestError(
                    f"{field}: {folder} has no {name}; a model folder holds config.json and "
                    "model.safetensors, as `save_pretrained` or `hf download` write them"
                )
        return str(folder), None
    if model.count("/") != 1 or model.startswith((".", "/", "~")):
        raise RequestError(
            f"{field}: {model} is neither a folder here nor the id of a repository (owner/name)"
        )
    return _from_hub(model, revision, field)


def _from_hub(model: str, revision: str | None, field: str) -> tuple[str, str]:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    at = f" at revision {revision}" if revision else ""
    pinned = f" --revision {revision}" if revision else ""
    by_hand = f"`hf download {model}{pinned} --local-dir DIR` where there is one, then {field}=DIR"
    try:
        path = snapshot_download(model, revision=revision, allow_patterns=list(_HUB_FILES))
    except GatedRepoError as why:
        raise RequestError(
            f"{field}: {model} is gated. Accept its terms at https://huggingface.co/{model}, then "
            "`hf auth login`"
        ) from why
    except (RepositoryNotFoundError, RevisionNotFoundError, HFValidationError) as why:
        raise RequestError(
            f"{field}: the Hub knows no {model}{at} (or it is private: `hf auth login`)"
        ) from why
    except (LocalEntryNotFoundError, OSError) as why:
        raise RequestError(
            f"{field}: {model} is not on this machine and the Hub cannot be reached. {by_hand}"
        ) from why
    return path, Path(path).name


def find_file(url: str, field: str) -> str:
    """Local path of a weights file.

    A file at any other fsspec URL is fetched once and kept below `~/.cache/sgt_data/weights`.

    Raises:
        RequestError: the file does not exist or cannot be fetched; the message begins with `field`.
    """
    place = absolute(url)
    if is_local(place):
        path = Path(place.removeprefix("file://"))
        if not path.is_file():
            raise RequestError(f"{field}: there is no file {path}")
        _check_beginning(str(path), field)
        return str(path)
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "sgt_data/weights"
    shown = without_secrets(place)  # a signature is no part of a name, and changes
    digest = hashlib.sha256(shown.encode()).hexdigest()[:16]
    cached = cache / digest / shown.removesuffix(HIDDEN).rsplit("/", 1)[-1]
    if not cached.exists():
        try:
            copy_to_file(place, str(cached))
        except FileMissing as why:
            raise RequestError(f"{field}: there is no {url}") from why
        except SourceError as why:
            raise RequestError(
                f"{field}: {url} cannot be fetched ({why}). Fetch it where there is a network, "
                f"then {field}=FILE"
            ) from why
    _check_beginning(str(cached), field)
    return str(cached)


def check_folder_files(folder: str, field: str) -> None:
    """Check that the `*.safetensors` files of a model folder begin as such files do.

    Raises:
        RequestError: one of them is empty, a web page or a pointer of Git LFS.
    """
    for file in Path(folder).glob("*.safetensors"):
        _check_beginning(str(file), field)


def _check_beginning(path: str, field: str) -> None:
    if problem := beginning_problem(path):
        raise RequestError(f"{field}: {path}: {problem}")


def digest_of(paths: Sequence[str]) -> str:
    """SHA-256 of a file; of several files, SHA-256 of the list of their names and digests."""
    digests = []
    for path in sorted(paths):
        with open(path, "rb") as file:
            digests.append((Path(path).name, hashlib.file_digest(file, "sha256").hexdigest()))
    if len(digests) == 1:
        return digests[0][1]
    return hashlib.sha256("\n".join(map(" ".join, digests)).encode()).hexdigest()


def folder_digest(folder: str) -> str:
    """Digest of the `*.safetensors` files of a model folder (see `digest_of`)."""
    return digest_of([str(path) for path in Path(folder).glob("*.safetensors")])


def check_pinned(digest: str, pinned: str | None, field: str) -> None:
    """Check the digest of weights against that of the manifest, where it has one.

    Raises:
        RequestError: the digests differ; the message begins with `field`.
    """
    if pinned is not None and digest != pinned:
        raise RequestError(
            f"{field}: the weights found have SHA-256 {digest}, the manifest asks for {pinned}"
        )
