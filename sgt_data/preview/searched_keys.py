"""The keys of a corpus that a sheet asks for: by name, by an expression, or page by page.

There may be millions, of which a sheet shows a few: a candidate is made when it is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.errors import RequestError
from sgt_data.preview.candidate import Candidate
from sgt_data.preview.sheet_choice import SheetChoice
from sgt_data.subsets.population import Population, read_population
from sgt_data.subsets.wanted import Wanted
from sgt_data.value_text import cut

_COMPARED = 10_000
"""Keys among which similar ones to an unknown key are looked for."""


class KeyCandidates(Sequence[Candidate]):
    """Some keys of a population as candidates."""

    def __init__(self, population: Population, rows: NDArray[np.int64]) -> None:
        """
        Args:
            population: whose keys.
            rows: their numbers in it.
        """
        self._population, self._rows = population, rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, place: int) -> Candidate: ...

    @overload
    def __getitem__(self, place: slice) -> list[Candidate]: ...

    def __getitem__(self, place: int | slice) -> Candidate | list[Candidate]:
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        row = int(self._rows[place])
        shard = int(np.searchsorted(self._population.starts, row, side="right")) - 1
        return Candidate(self._population.shards[shard], self._population.keys[row].as_py())


def searched_keys(
    corpus: Corpus, choice: SheetChoice, proxies: Sequence[str]
) -> dict[str, KeyCandidates]:
    """The keys that a choice names, that its expression is true of, or all; by source, in the order
    of the choice, or of the corpus.

    Raises:
        RequestError: there is no such key, or the expression is none.
        CorpusError, SourceError: an index is damaged or cannot be read.
    """
    population = read_population(corpus, proxies, Wanted(where=choice.where))
    rows = np.flatnonzero(population.fitting)
    if choice.keys:
        rows = _rows_of(population, choice.keys, corpus.url)
    shards = np.searchsorted(population.starts, rows, side="right") - 1
    sources = population.source[shards]
    return {
        population.sources[number]: KeyCandidates(population, rows[sources == number])
        for number in np.unique(sources).tolist()
    }


def _rows_of(population: Population, keys: Sequence[str], url: str) -> NDArray[np.int64]:
    """The numbers of keys in a population.

    Raises:
        RequestError: it lacks one of them; names similar ones.
    """
    asked = pa.array(keys, pa.string())
    rows = np.flatnonzero(np.asarray(pc.is_in(population.keys, value_set=asked), np.bool_))
    row_of = {population.keys[row].as_py(): row for row in rows.tolist()}
    for key in keys:
        if key not in row_of:
            known = population.keys.slice(0, _COMPARED).to_pylist()
            similar = get_close_matches(key, known, 3) or known[:3]
            raise RequestError(
                f"key: found {cut(key)}; {url} has no sample of it; it has, for example, "
                f"{', '.join(similar)}"
            )
    return np.array([row_of[key] for key in keys], np.int64)
