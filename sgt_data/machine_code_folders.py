"""Folders of compiled code: where it is looked for, and where it is written.

1. The folder that NUMBA_CACHE_DIR names, as an image and a cluster set it. It may be read-only.
2. The user's folder of caches: `$XDG_CACHE_HOME`, else `~/.cache`.
3. Where neither takes files, as for a user without a home: a folder among the temporary files. Code
   there is run, so the folder must belong to this user, and nobody else may write to it.

New code is written to the first that takes files.
"""

from __future__ import annotations

import os
import stat
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, cast

from numba import config

VARIABLE = "NUMBA_CACHE_DIR"

_OWN = "sgt-data"


@cache
def folders() -> tuple[Path, ...]:
    """The folders where code is looked for, in this order; some may be missing."""
    places = [place for place in (_named(), _of_user()) if place is not None]
    if not any(map(_takes_files, places)) and (temporary := _temporary()):
        places.append(temporary)
    return tuple(places)


@cache
def new_folder() -> Path | None:
    """The folder where new code is written; None where none takes files."""
    return next(filter(_takes_files, folders()), None)


def _named() -> Path | None:
    named = cast(Any, config).CACHE_DIR
    return Path(named) / _OWN if named else None


def _of_user() -> Path | None:
    if caches := os.environ.get("XDG_CACHE_HOME"):
        return Path(caches) / _OWN / "compiled"
    try:
        return Path.home() / ".cache" / _OWN / "compiled"
    except RuntimeError:  # this user has no name and no home
        return None


def _temporary() -> Path | None:
    folder = Path(tempfile.gettempdir()) / f"{_OWN}-compiled-{os.getuid()}"
    try:
        folder.mkdir(0o700, exist_ok=True)
        status = folder.lstat()
    except OSError:
        return None
    is_safe = (
        stat.S_ISDIR(status.st_mode)
        and status.st_uid == os.getuid()
        and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    )
    return folder if is_safe else None


def _takes_files(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)
