"""List all files below a folder of a local disk, with one question to the disk for each file."""

from __future__ import annotations

import os


def list_local(folder: str) -> dict[str, int]:
    """Sizes in bytes of all files below a folder, by their path relative to it.

    Linked folders are not entered: a link counts as a file of the size of what it leads to, and one
    that leads nowhere as a file of 0 bytes. Empty where the folder does not exist.

    Raises:
        OSError: the folder, or one below it, cannot be listed.
    """
    sizes: dict[str, int] = {}
    waiting = [""]
    while waiting:
        below = waiting.pop()
        try:
            with os.scandir(os.path.join(folder, below)) as entries:
                for entry in entries:
                    path = f"{below}{entry.name}"
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(f"{path}/")
                    elif (size := _size(entry)) is not None:
                        sizes[path] = size
        except (FileNotFoundError, NotADirectoryError):  # as good as removed in the meantime
            continue
    return sizes


def _size(entry: os.DirEntry[str]) -> int | None:
    """Size of a file; None where it is gone since."""
    try:
        return entry.stat().st_size
    except OSError:
        return 0 if entry.is_symlink() else None
