"""Keys of inputs.

The key of an input is `<source>_<id>`, and its id comes from the input's name (its path below
the folder, or in the tar, without the suffix of the picture):

1. A name of ASCII characters, up to 160 of them: every character but letters, digits, `_` and `-`
   becomes `-`. `a/IMG 1.jpg` has the id `a-IMG-1`.
2. Any other name: what rule 1 can keep of it, and a digest of the whole path, suffix included. So
   the key of `照片1.jpg` depends on that name alone, and not on which other inputs there are.
3. Names of ASCII characters to which rule 1 gives one id (`1.jpg` and `1.png`, `a/1.jpg` and
   `a-1.jpg`) carry a digest as well. Sources that are listed whole (folder, coco) mark all of them:
   the order of listing changes no key. Tars are cut while they are read, so there the first one in
   the tar keeps the plain id, and later ones are marked: what comes later in a tar changes no
   earlier key. Across tars a key that comes again is a repeated input, which the ledger names.

The digest is of 64 bits; a key has no dots, and with every suffix it is a valid file name.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections import Counter
from collections.abc import Iterable

_NOT_IN_KEYS = re.compile(r"[^A-Za-z0-9_-]")
_STEM_LENGTH_MAX = 160
_KEPT_LENGTH = 40  # so that a marked key and every suffix fit the 100 bytes of a tar's header


def key_of(source: str, stem: str, path: str | None = None) -> str:
    """Key of an input by its own name alone: rules 1 and 2 of this module.

    Args:
        source: name of the source.
        stem: path of the input without the suffix of the picture.
        path: the whole path; by default `stem`.
    """
    if stem.isascii() and len(stem) <= _STEM_LENGTH_MAX:
        return f"{source}_{_NOT_IN_KEYS.sub('-', stem)}"
    return marked_key(source, stem, path)


def marked_key(source: str, stem: str, path: str | None = None) -> str:
    """Key of an input whose name alone is not enough: with a digest of its path.

    Args:
        source: name of the source.
        stem: path of the input without the suffix of the picture.
        path: the whole path; by default `stem`.
    """
    # names of local files may hold bytes that are no UTF-8
    whole = (stem if path is None else path).encode("utf-8", "surrogateescape")
    digest = hashlib.blake2b(whole, digest_size=8).hexdigest()
    kept = re.sub(r"-{2,}", "-", _NOT_IN_KEYS.sub("-", stem)).strip("-")[-_KEPT_LENGTH:].strip("-")
    return f"{source}_{kept}-{digest}" if kept else f"{source}_{digest}"


def unique_keys(source: str, paths: Iterable[str]) -> dict[str, str]:
    """Keys of all inputs of a source that is listed whole, by path; no two are the same.

    Args:
        source: name of the source.
        paths: of the inputs, each once, with the suffix of the picture.
    """
    stems = {path: posixpath.splitext(path)[0] for path in paths}
    keys = {path: key_of(source, stem, path) for path, stem in stems.items()}
    for _ in range(2):  # the second time: a plain name that spells the marked key of another
        uses = Counter(keys.values())
        if len(uses) == len(keys):
            break
        keys = {
            path: marked_key(source, stems[path], path) if uses[key] > 1 else key
            for path, key in keys.items()
        }
    return keys
