"""A subset by a list of keys that a caller has chosen."""

from __future__ import annotations

from collections.abc import Collection
from hashlib import sha256

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.errors import RequestError
from sgt_data.subsets.choice_record import ChoiceRecord, seed_of
from sgt_data.subsets.population import read_population
from sgt_data.subsets.rule import SubsetRule
from sgt_data.subsets.selected_corpus import select_keys


def subset_of_keys(corpus: Corpus, keys: Collection[str]) -> Corpus:
    """The subset of a corpus with these keys, in every proxy that has them.

    A fraction of it is a fraction of these keys, in the corpus' own order.

    Args:
        corpus: a complete corpus, or a subset of it.
        keys: of samples.

    Raises:
        RequestError: the corpus is not complete or lacks one of the keys, or there are no keys.
        CorpusError, SourceError: an index or a ledger is damaged or cannot be read.
    """
    corpus.finished()
    population = read_population(corpus, corpus.folders)
    asked = sorted(set(keys))
    wanted = pa.array(asked, pa.string())
    chosen = np.asarray(pc.is_in(population.keys, value_set=wanted), np.bool_)
    if not asked or int(chosen.sum()) != len(asked):
        known = set(population.keys.filter(pa.array(chosen)).to_pylist())
        unknown = next((key for key in asked if key not in known), None)
        raise RequestError(f"keys: {corpus.url} has no {unknown!r}" if unknown else "keys: none")
    digest = sha256("\n".join(asked).encode()).hexdigest()
    rule = {"seed": seed_of(corpus, SubsetRule()), "keys": digest, "whole": False}
    return select_keys(corpus, population, chosen, ChoiceRecord(rule, {}))
