"""Bounds of Parquet files from outside, by what their metadata claim, before a page is read.

A file whose pages hold more than its metadata claim goes past them: Arrow offers no other bound.
"""

from __future__ import annotations

from typing import Any

from sgt_data.errors import CorpusError

INDEX_ROWS_MAX = 100_000
"""Most rows of an index: `shard_samples` of a manifest goes no further."""
SUBSET_ROWS_MAX = 1 << 30
"""Most keys of a subset file: a hundred times the pictures of SA-1B."""
UNPACKED_RATIO_MAX = 200
"""How much a column may claim to unpack to, in multiples of the file's own size."""
UNPACKED_ALWAYS = 64 << 20
"""What a file may unpack to whatever its size, in bytes."""


def check_claims(metadata: Any, nbytes: int, rows_max: int, where: str) -> None:
    """Check what a Parquet file claims to hold.

    Args:
        metadata: of the file.
        nbytes: size of the file.
        rows_max: most rows.
        where: its URL, for messages.

    Raises:
        CorpusError: it claims more than such a file holds.
    """
    if not 0 <= metadata.num_rows <= rows_max:
        raise CorpusError(f"{where}: {metadata.num_rows} rows; allowed: {rows_max}")
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    unpacked = sum(
        group.column(number).total_uncompressed_size
        for group in groups
        for number in range(group.num_columns)
    )
    if not 0 <= unpacked <= UNPACKED_ALWAYS + UNPACKED_RATIO_MAX * nbytes:
        raise CorpusError(
            f"{where}: its {nbytes} bytes claim to unpack to {unpacked}, which no such file does"
        )
    if sum(group.num_rows for group in groups) != metadata.num_rows:
        raise CorpusError(f"{where}: its parts do not have the rows that it claims")
