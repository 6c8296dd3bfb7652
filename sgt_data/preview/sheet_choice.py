"""What a contact sheet is asked to show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sgt_data import checks
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.errors import RequestError


@dataclass(frozen=True, slots=True)
class SheetChoice:
    """Which pictures of a corpus a sheet shows, and which proxies of them.

    Attributes:
        per_source: most pictures of each source; None for as many as make a sheet of sensible
            height, 6 at most.
        keys: exactly these; empty for a choice of all.
        proxies: only these; empty for all.
        where: an expression in DuckDB's SQL over the index, as subsets take it; None for all keys.
        quarantined: inputs that became no sample, each with its reason, instead of samples.
        page: number of a page from 1 on: the pictures in the order of the corpus, so many of each
            source on each page. None spreads the pictures evenly.
    """

    per_source: int | None = None
    keys: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    where: str | None = None
    quarantined: bool = False
    page: int | None = None

    @property
    def is_all(self) -> bool:
        """Whether the sheet shows some of all keys, spread evenly: no index need be searched."""
        return not self.keys and self.where is None and self.page is None

    def check(self, corpus: Corpus) -> None:
        """Check what is asked for, and that its parts do not contradict each other.

        Raises:
            RequestError: a number is none, parts contradict each other, or the corpus has no such
                proxy.
        """
        for name, number in (("per_source", self.per_source), ("page", self.page)):
            if number is not None:
                checks.whole_number(name, number, 1)
        others = {
            "per_source": self.per_source is not None,
            "where": self.where is not None,
            "quarantined": self.quarantined,
            "page": self.page is not None,
        }
        _refuse_both("key", bool(self.keys), others)
        _refuse_both("quarantined", self.quarantined, {"where": self.where is not None})
        if self.quarantined and corpus.selection is not None:
            raise RequestError(
                f"a subset has no quarantine of its own; name its corpus instead: {corpus.url}"
            )
        for proxy in self.proxies:
            corpus.shards(proxy)

    def words(self) -> Sequence[str]:
        """What was asked for, for the head of the sheet."""
        parts = ["inputs that became no sample"] if self.quarantined else []
        if self.where is not None:
            parts.append(f"where {self.where}")
        if self.page is not None:
            parts.append(f"page {self.page:,}")
        return parts


def _refuse_both(name: str, is_given: bool, others: dict[str, bool]) -> None:
    for other, other_is_given in others.items():
        if is_given and other_is_given:
            raise RequestError(f"found both {name} and {other}; a sheet takes one of the two")
