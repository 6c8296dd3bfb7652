"""What a folder without a corpus holds instead, in words for the person who named it."""

from __future__ import annotations

import os
from contextlib import suppress
from itertools import islice

from sgt_data.bounded_json import loads_bounded
from sgt_data.errors import SgtDataError
from sgt_data.files.output_place import (
    ANNOTATE_MARKER,
    CORPUS_MARKER,
    EXPORT_MARKER,
    QUESTIONS_MARKER,
)
from sgt_data.files.reading import exists, read_bytes
from sgt_data.files.urls import join
from sgt_data.names import INDEX, RECEIPTS
from sgt_data.value_text import cut_text

_ENTRIES_MAX = 1000
_NAME_LETTERS = 80
_PARTS = (
    "parts of a corpus lie there: the command that wrote them, given again, writes corpus.json anew"
)


def in_place_of_corpus(root: str) -> str:
    """What lies at a place that has no corpus, and what to open instead; empty where nothing shows.

    Args:
        root: absolute URL of a folder or file.
    """
    with suppress(SgtDataError, OSError):
        if exists(join(root, EXPORT_MARKER)):
            return _export(root)
        if exists(join(root, QUESTIONS_MARKER)):
            return "it is a folder of questions; open the corpus that they ask about"
        if exists(join(root, ANNOTATE_MARKER)):
            return (
                "it is a folder of annotated tars, which are a source: build a corpus from them, "
                "and open that one"
            )
        if exists(join(root, RECEIPTS)) and exists(join(root, INDEX)):
            return _PARTS
        if root.startswith("/"):
            return _local(root)
    return ""


def _export(root: str) -> str:
    try:
        stated = loads_bounded(read_bytes(join(root, EXPORT_MARKER)))
    except ValueError:  # a damaged file says nothing
        stated = None
    fields = stated if isinstance(stated, dict) else {}
    form, corpus = (
        cut_text(str(fields.get(name, "?")), _NAME_LETTERS) for name in ("format", "corpus")
    )
    return (
        f"it is an export for {form}, made from the corpus {corpus}; open that corpus, or look at "
        f"the export with sgt-data view {root}"
    )


def _local(root: str) -> str:
    if os.path.isfile(root):
        return "it is a file; name the folder of a corpus, or a .subset.parquet file"
    if not os.path.isdir(root):
        return "there is no such folder"
    with os.scandir(root) as entries:
        names = sorted(entry.name for entry in islice(entries, _ENTRIES_MAX))
    for name in names:
        if os.path.isfile(os.path.join(root, name, CORPUS_MARKER)):
            return f"a corpus lies in it: open {os.path.join(root, name)}"
    above = os.path.dirname(root)
    if os.path.isfile(os.path.join(above, CORPUS_MARKER)):
        return f"it is a folder of the corpus {above}; open that one"
    if any(name.endswith(".tar") for name in names):
        return (
            "it is a folder of tars that is no corpus of sgt-data; its pictures can be a source: "
            "sgt-data sources tars"
        )
    return ""
