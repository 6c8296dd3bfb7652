"""Subsets by a list of keys, as somebody else chose them."""

from __future__ import annotations

from collections.abc import Collection
from hashlib import sha256

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sgt_data.corpus.reader import Corpus
from sgt_data.errors import RequestError
from sgt_data.subsets.population import read_population
from sgt_data.subsets.view import Terms, select_keys


def listed_keys(corpus: Corpus, keys: Collection[str]) -> Corpus:
    """The corpus with these keys, in every proxy that has them. A fraction of it is one of these
    keys, ranked as the corpus' own.

    Raises:
        RequestError: the corpus is not complete, has not all of these keys, or there are none.
    """
    corpus.finished()
    population = read_population(corpus, corpus.folders)
    wanted = sorted(set(keys))
    chosen = np.asarray(pc.is_in(population.keys, value_set=pa.array(wanted, pa.string())))
    if not wanted or int(chosen.sum()) != len(wanted):
        held = set(population.keys.to_pylist())
        strange = next((key for key in wanted if key not in held), None)
        raise RequestError(f"keys: {corpus.url} has no {strange!r}" if strange else "keys: none")
    digest = sha256("\n".join(wanted).encode()).hexdigest()
    seed = corpus.header.identity.get("subset", {}).get("seed", corpus.header.manifest["seed"])
    return select_keys(
        corpus, population, chosen, Terms({"seed": seed, "keys": digest, "whole": False}, {})
    )
