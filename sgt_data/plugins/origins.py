"""Where a class of own code comes from, as it belongs to the identity of a corpus."""

from __future__ import annotations

import hashlib
import inspect
import posixpath
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sgt_data.plugins.member import Member, is_own

_DISTRIBUTIONS: dict[type[Any], Mapping[str, str]] = {}


def note_distribution(kind: type[Any], name: str, version: str) -> None:
    """Note the installed package that registered a class."""
    _DISTRIBUTIONS[kind] = {"package": name, "version": version}


def origin_of(kind: type[Member]) -> Mapping[str, str] | None:
    """What tells the code of a class from other code; None for classes of this package.

    Package and version of an entry point; name and SHA-256 of a file or of a module's file.
    """
    if not is_own(kind):
        return None
    if kind in _DISTRIBUTIONS:
        return _DISTRIBUTIONS[kind]
    if kind.own_file is not None:
        name = posixpath.basename(Path(kind.own_file.path).as_posix())
        return {"file": name, "sha256": kind.own_file.sha256}
    return {"module": kind.__module__, "sha256": hashlib.sha256(_source(kind)).hexdigest()}


def _source(kind: type[Any]) -> bytes:
    """The text of a class' module; the name of the class where it has none, as in a notebook."""
    try:
        return Path(inspect.getfile(kind)).read_bytes()
    except (OSError, TypeError):
        return kind.__qualname__.encode()
