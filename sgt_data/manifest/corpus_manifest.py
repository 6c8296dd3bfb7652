"""The manifest that a corpus was built from, out of its `corpus.json`: to mend the corpus."""

from __future__ import annotations

import posixpath
from typing import Any

import orjson

from sgt_data.bounded_json import loads_bounded
from sgt_data.errors import ManifestError
from sgt_data.facts import CORPUS_FORMAT
from sgt_data.files.output_place import CORPUS_MARKER
from sgt_data.foreign_errors import in_words
from sgt_data.value_text import cut, cut_text


def is_corpus_file(path: str) -> bool:
    """Whether a path is that of a `corpus.json`."""
    return posixpath.basename(path) == CORPUS_MARKER


def manifest_of_corpus(data: bytes, where: str) -> dict[str, Any]:
    """The fields of the manifest that a corpus states, every default written out.

    Its relative paths are those of the folder in which the build ran.

    Args:
        data: of a `corpus.json`.
        where: its URL, for messages.

    Raises:
        ManifestError: it is none, a copy states it, or own code is needed, which no corpus brings.
    """
    try:
        document = loads_bounded(data)
    except orjson.JSONDecodeError as why:
        raise ManifestError(f"{where} is not JSON: {in_words(why)}") from why
    if not isinstance(document, dict) or document.get("format") != CORPUS_FORMAT:
        raise ManifestError(f"{where} is no header of a corpus, so it states no manifest")
    manifest = document.get("manifest")
    if not isinstance(manifest, dict):
        raise ManifestError(
            f"{where}: field manifest is {cut(manifest, 40)}, not fields of a manifest"
        )
    if document.get("parent"):
        raise ManifestError(
            f"{where} is that of a copy of a subset; `sgt-data scale` with the options of then "
            "makes it again"
        )
    if manifest.get("plugins"):
        plugins = ", ".join(map(str, manifest["plugins"]))
        raise ManifestError(
            f"{where}: the build used own code ({cut_text(plugins, 80)}), "
            "which is not read from a corpus; give the manifest of the build itself"
        )
    return manifest
