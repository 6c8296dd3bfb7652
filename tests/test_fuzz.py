"""A few seconds of every fuzzer; `python tests/fuzz_tars.py --seconds 120` runs one for longer."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import fuzz_annotations
import fuzz_corpora
import fuzz_tars
import pytest
from fuzzing import Target, fuzz

FUZZERS = (fuzz_annotations, fuzz_corpora, fuzz_tars)
IN_PLACE = 6
"""Examples of a target that copies a corpus for each."""
KEPT = (1, 7)
"""Seeds of rounds; what they and longer runs brought to light has tests of its own, too."""


@pytest.fixture(scope="module", autouse=True)
def the_corpus_ends_with_the_tests() -> Iterator[None]:
    """It is made once for a process, in a folder of its own."""
    yield
    shutil.rmtree(fuzz_corpora.corpus())
    fuzz_corpora.corpus.cache_clear()


def targets() -> Iterator[tuple[str, Target]]:
    for fuzzer in FUZZERS:
        for name, target in fuzzer.TARGETS.items():
            yield f"{fuzzer.__name__} {name}", target


@pytest.mark.parametrize("name", [name for name, _ in targets()])
def test_hostile_bytes_end_in_a_value_or_in_an_error_of_ours(name: str) -> None:
    for seed in KEPT:
        fuzz(dict(targets())[name], seed, IN_PLACE if "in place" in name else 30)
