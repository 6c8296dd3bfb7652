"""What is wanted of all keys of a corpus, beside themselves."""

from __future__ import annotations

from dataclasses import dataclass

from sgt_data.subsets.shard_keys import DESCRIPTION, KeyReading
from sgt_data.subsets.strata import StrataRule


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of a population beside its keys, and what folders hold of them.

    Attributes:
        seed: of the hashes of keys; None for no hashes.
        where: an expression in DuckDB's SQL, over `DESCRIPTION`.
        strata: by what facts of keys strata go.
        described_by: the proxy whose description of a key is taken first, for both.
        target_bytes: whether sizes of targets are wanted.
    """

    seed: int | None = None
    where: str | None = None
    strata: StrataRule = "source"
    described_by: str | None = None
    target_bytes: bool = False

    @property
    def reading(self) -> KeyReading:
        """What is read for that."""
        columns = {"source": (), "segments": ("segments",), "category": ("categories",)}
        description = columns[self.strata] if self.where is None else DESCRIPTION
        return KeyReading(self.seed, description, self.described_by, self.target_bytes)


KEYS_ALONE = Wanted()
"""Nothing beside keys, and what folders hold of them."""
