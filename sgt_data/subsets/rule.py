"""The rule of a subset: in which order keys, or whole shards, are taken."""

from __future__ import annotations

from dataclasses import dataclass

from sgt_data import checks
from sgt_data.errors import RequestError
from sgt_data.subsets.strata import StrataRule, check_strata

SEEDS = 2**63
"""A seed is below this."""


@dataclass(frozen=True, slots=True)
class SubsetRule:
    """How the keys of a corpus are ranked; a subset is the beginning of that order.

    Subsets by one rule are nested, whatever their sizes and however the corpus is cut into shards.

    Attributes:
        seed: of the ranking, 0 to 2**63 - 1; by default that of the subset at hand, or else of the
            manifest.
        strata: what each subset has its exact share of: `source`, or within it `segments`
            (magnitude of the segment count) or `category` (a picture's rarest one).
        where: an expression in DuckDB's SQL that keys must fulfil, over the columns of the index:
            key, source, member, licence, source_width, source_height, width, height, segments,
            categories.
        described_by: the proxy whose segments and categories `strata` and `where` look at; by
            default, for each picture, the first proxy that has it.
        whole_shards: rank shards instead, which are taken as they are.

    Raises:
        RequestError: a field has a value that it cannot have, or fields contradict each other.
    """

    seed: int | None = None
    strata: StrataRule = "source"
    where: str | None = None
    described_by: str | None = None
    whole_shards: bool = False

    def __post_init__(self) -> None:
        check_strata(self.strata)
        if self.seed is not None:
            checks.whole_number("seed", self.seed, 0, SEEDS - 1)
        for name in ("where", "described_by"):
            if (value := getattr(self, name)) is not None:
                checks.text(name, value)
        checks.flag("whole_shards", self.whole_shards)
        about_keys = (self.strata, self.where, self.described_by)
        if self.whole_shards and about_keys != ("source", None, None):
            raise RequestError("whole shards go with no where, strata or described_by")
        if self.described_by is not None and (self.strata, self.where) == ("source", None):
            raise RequestError(
                "described_by names the proxy whose segments strata and where look at; give "
                "strata segments or category, or a where expression"
            )
