"""Names, and which of them can become parts of paths: one rule for each kind of name.

Names come from manifests, indexes, receipts, headers, subset files, tars and conversations. Each is
checked where it is parsed, so that no path that is made of it leaves its root.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from sgt_data.value_text import cut

KEY_ALPHABET = "1 to 1000 of A-Z, a-z, 0-9, _ and -"
"""What a sample's key is made of; it names files in tars and exports, up to their extension."""

KEY_LETTERS, KEY_LENGTH_MAX = r"^[A-Za-z0-9_-]+$", 1000
"""The same as a regular expression, for pyarrow too, and the length apart from it: pyarrow's engine
takes 10 ms to prepare an expression that counts to 1000."""

RECEIPTS, INDEX, QUARANTINE = "receipts", "index", "quarantine"
"""Folders of a corpus that are no proxy's."""

SUBSET_SUFFIX = ".subset.parquet"
"""What the name of a subset file ends in; no folder has such a name."""

NAME_PATTERN = r"^[a-z][a-z0-9-]{0,31}$"
"""What names of sources, proxies and annotators are, as a regular expression."""

NAME_RULE = "1 to 32 of a-z, 0-9 and -, beginning with a letter"
"""The same in words."""

_NAME = re.compile(NAME_PATTERN)
_LAYER = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_TITLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_KEY = re.compile(KEY_LETTERS)
_UNSEEN = re.compile(r"[\x00-\x1f\x7f]")
_PART_BYTES_MAX = 255  # of every part of a path, on all common file systems


def checked_name(name: str) -> str:
    """Check the name of a source, proxy or annotator, a part of keys and paths, and return it.

    Raises:
        ValueError: the name is not 1 to 32 of a-z, 0-9 and -, beginning with a letter.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"a name is {NAME_RULE}")
    return name


def checked_layer(layer: object) -> str:
    """Check the name of a layer of annotations, and return it.

    Raises:
        ValueError: it is not 1 to 32 of a-z, 0-9, _ and -, beginning with a letter.
    """
    if not isinstance(layer, str) or not _LAYER.fullmatch(layer):
        raise ValueError("a layer's name is 1 to 32 of a-z, 0-9, _ and -, and begins with a letter")
    return layer


def checked_title(title: object) -> str:
    """Check the name of a corpus, of which names of files are made, and return it.

    Raises:
        ValueError: it is not 1 to 64 of letters, digits, `_`, `.` and `-`, beginning with a letter
            or digit.
    """
    if not isinstance(title, str) or not _TITLE.fullmatch(title):
        raise ValueError(
            f"the corpus' name is {cut(title)}; it must be 1 to 64 of A-Z, a-z, 0-9, _, . and -, "
            "and begin with a letter or digit"
        )
    return title


def checked_folder(folder: object) -> str:
    """Check the name of a folder of shards, that of a proxy or `input`, and return it.

    Raises:
        ValueError: it is neither.
    """
    if not isinstance(folder, str) or not _NAME.fullmatch(folder):
        raise ValueError(
            f"the folder's name is {cut(folder)}; it must be that of a proxy (1 to 32 of a-z, 0-9 "
            "and -, beginning with a letter) or `input`"
        )
    return folder


def checked_shard(shard: object) -> str:
    """Check the name of a shard, and return it. It holds the name of a tar, so it may have dots.

    Raises:
        ValueError: it is not the name of one file, or could be read as more than that in a URL.
    """
    if not isinstance(shard, str) or not _is_part(shard) or shard.startswith("."):
        raise ValueError(
            f"the shard's name is {cut(shard)}; it must name one file: no /, \\, :: or control "
            "character, no dot in front, at most 240 bytes"
        )
    if len(shard.encode("utf-8", "replace")) > 240 or not _is_part(unquote(shard)):
        raise ValueError(f"the shard's name is {cut(shard)}, which names no file in a URL")
    return shard


def is_shard(shard: object) -> bool:
    """Whether a value can be the name of a shard (see `checked_shard`)."""
    try:
        checked_shard(shard)
    except ValueError:
        return False
    return True


def is_key(key: object) -> bool:
    """Whether a value can be the key of a sample (see `KEY_ALPHABET`)."""
    return isinstance(key, str) and len(key) <= KEY_LENGTH_MAX and _KEY.fullmatch(key) is not None


def checked_path(path: object) -> str:
    """Check the path of a file below a folder, such as a picture's, and return it.

    Raises:
        ValueError: it names no file, or leaves its folder.
    """
    if not isinstance(path, str) or path.rsplit("/", 1)[-1] in ("", ".") or "\0" in path:
        raise ValueError(f"the file name is {cut(path)}, which names no file")
    parts = path.split("/")
    read_as = [*parts, *unquote(path).split("/")]  # a server may undo escapes
    if "://" in path:
        raise ValueError(f"the file name {cut(path)} is a URL; it must be a path in the folder")
    if path.startswith("/"):
        raise ValueError(
            f"the file name {cut(path)} is an absolute path; it must be a path in the folder"
        )
    if ".." in read_as:
        raise ValueError(f"the file name {cut(path)} leaves its folder")
    if not all(map(_stays, read_as)):
        raise ValueError(
            f"the file name {cut(path)} has a backslash or `::`; the parts of a path are joined "
            "by /"
        )
    if max(len(part.encode("utf-8", "replace")) for part in parts) > _PART_BYTES_MAX:
        raise ValueError(f"the file name {cut(path, 40)} is longer than {_PART_BYTES_MAX} bytes")
    return path


def _stays(part: str) -> bool:
    """Whether a part of a path leads no folder up; `::` chains file systems in a URL."""
    return part != ".." and "\\" not in part and "::" not in part


def _is_part(name: str) -> bool:
    """Whether a name is one part of a path."""
    return bool(name) and _stays(name) and name != "." and not ("/" in name or _UNSEEN.search(name))
