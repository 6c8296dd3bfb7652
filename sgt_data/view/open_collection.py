"""Open what a URL names, to be looked at: a corpus, a subset file or an export."""

from __future__ import annotations

from sgt_data.corpus.header import read_header
from sgt_data.corpus.paths import CORPUS_FILE
from sgt_data.errors import RequestError, SourceError
from sgt_data.files.output_place import EXPORT_MARKER
from sgt_data.files.urls import Location, absolute
from sgt_data.subsets.open_corpus import open_corpus
from sgt_data.subsets.subset_file import is_subset_file
from sgt_data.view.browsed_corpus import BrowsedCorpus
from sgt_data.view.browsed_export import BrowsedExport, is_export
from sgt_data.view.collection import Collection


def open_collection(url: Location) -> Collection:
    """Open a corpus, a subset file or an export at an fsspec URL.

    Raises:
        RequestError: nothing of these is at the URL.
        CorpusError: its header is damaged, or of another version.
    """
    root = absolute(url)
    if is_subset_file(root):
        return BrowsedCorpus(open_corpus(root))
    if read_header(root) is not None:
        return BrowsedCorpus(open_corpus(root))
    if _is_export(root):
        return BrowsedExport(root)
    raise RequestError(
        f"{root} holds neither a corpus (no {CORPUS_FILE}) nor an export (no {EXPORT_MARKER}); "
        "give the folder that `build`, `scale` or `export` wrote, or a .subset.parquet file"
    )


def _is_export(root: str) -> bool:
    try:
        return is_export(root)
    except SourceError:
        return False
