"""Which keys of a corpus a subset has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True, slots=True)
class Selection:
    """The keys of a subset, shard by shard.

    Attributes:
        keys: of all shards.
        spans: by shard: where its keys begin and end.
        held: by folder of the corpus: whether it has a sample of each key.
        whole: these shards are taken as they are, with all they hold and leave out.
    """

    keys: pa.StringArray
    spans: Mapping[str, tuple[int, int]]
    held: Mapping[str, pa.BooleanArray]
    whole: bool = False

    def of(self, shard: str) -> pa.StringArray:
        """The keys of a shard, in order."""
        begin, end = self.spans.get(shard, (0, 0))
        return self.keys.slice(begin, end - begin)

    def rows(self, table: pa.Table, shard: str) -> pa.Table:
        """The rows of a shard's index that the subset has."""
        if self.whole and shard in self.spans:
            return table
        return table.filter(pc.is_in(table["key"], value_set=self.of(shard)))
