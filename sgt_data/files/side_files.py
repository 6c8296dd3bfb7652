"""Files that other programs leave in a folder of tars: which they are, and who writes them.

No reader of ours looks at one, so they change nothing. What is not listed here is accepted nowhere.
"""

from __future__ import annotations

from collections.abc import Collection

from sgt_data.files.not_pictures import in_system_folder, is_system_file

_FOLDERS = {
    ".nv-meta": "Megatron Energon",  # energon prepare
    ".git": "git",
    ".cache": "huggingface_hub",  # download with local_dir: .cache/huggingface/
}
"""By name of a folder, at any depth: whose it is."""

_FILES = {".gitattributes": "git", ".gitignore": "git", ".gitkeep": "git"}
"""By name of a file, at any depth: whose it is."""

_BESIDE_TARS = {
    ".idx": "Megatron Energon",  # energon prepare: SHARD.tar.idx
    ".idx.tmp": "Megatron Energon",  # the same while it is written, or after it was stopped
}
"""By what follows the name of a tar: who writes such a file beside it."""

_INSTEAD_OF_TAR = {".idx": "NVIDIA DALI"}  # wds2idx: SHARD.idx
"""By what stands in place of a tar's `.tar`: who writes such a file beside it."""

SYSTEM = "the system"
"""Who writes `.DS_Store`, `Thumbs.db`, `lost+found/` and their like (`not_pictures`)."""

HIDDEN = "unknown programs (hidden)"
"""Who writes files and folders at the root whose names begin with a dot, if nobody named here."""


def writer_of(path: str, own: Collection[str]) -> str | None:
    """Who wrote a file that lies in a folder of tars, and is not of it; None where nobody knows.

    Args:
        path: of the file below the folder, with `/`.
        own: paths of the folder's own files, the tars among them.
    """
    *folders, name = path.split("/")
    for folder in folders:
        if folder in _FOLDERS:
            return _FOLDERS[folder]
    if name in _FILES:
        return _FILES[name]
    for ending, writer in _BESIDE_TARS.items():
        if path.endswith(f".tar{ending}") and path.removesuffix(ending) in own:
            return writer
    for ending, writer in _INSTEAD_OF_TAR.items():
        if path.endswith(ending) and f"{path.removesuffix(ending)}.tar" in own:
            return writer
    if in_system_folder(path) or is_system_file(path):
        return SYSTEM
    return HIDDEN if path.startswith(".") else None
