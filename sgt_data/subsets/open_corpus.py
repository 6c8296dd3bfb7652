"""Open what a URL names: a corpus, or the keys of a corpus that a subset file names."""

from __future__ import annotations

from sgt_data.corpus.header import read_header
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.errors import RequestError
from sgt_data.files.foreign_folder import in_place_of_corpus
from sgt_data.files.urls import Location, absolute
from sgt_data.subsets.parent_corpus import find_parent, header_within
from sgt_data.subsets.selected_corpus import select_again
from sgt_data.subsets.subset_file import is_subset_file, read_subset_file


def open_corpus(url: Location) -> Corpus:
    """Open the corpus at an fsspec URL, or, at that of a `.subset.parquet` file, the subset.

    Raises:
        RequestError: nothing is at the URL; or the corpus of a subset is another one by now.
        CorpusError: its header is damaged, or of another version.
    """
    root = absolute(url)
    if is_subset_file(root):
        return _open_subset(root)
    header = read_header(root)
    if header is None:
        instead = in_place_of_corpus(root)
        raise RequestError(
            f"{root} holds no corpus (no corpus.json){'; ' if instead else ''}{instead}"
        )
    return Corpus(root, header)


def _open_subset(url: str) -> Corpus:
    file = read_subset_file(url)
    root, header = find_parent(file, url)
    subset = Corpus(root, header_within(file, header), file.selection)
    if set(subset.folders) <= file.selection.held.keys():
        return subset
    return select_again(Corpus(root, header), file.selection, subset.header)
