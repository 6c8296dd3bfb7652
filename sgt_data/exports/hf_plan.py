"""Which samples go into which row group of which file of the export for Hugging Face (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

ROW_GROUP_BYTES = 32_000_000
"""A row group is in memory while it is written, and is read as a whole. The Hub's viewer shows none
above 300 MB, and `datasets` 5.2 writes 100 MB at most."""

FILE_BYTES = 500_000_000
"""As `datasets` 5.2 writes (`MAX_SHARD_SIZE`)."""

ROW_BYTES = 200
"""What a row takes beside its members: key, names, source, licence."""


def plan_files(sizes: Iterable[int], row_group_bytes: int, file_bytes: int) -> list[list[int]]:
    """Number of samples in each row group of each file.

    A sample that is larger than a bound stands alone.

    Args:
        sizes: bytes of each sample, in order.
        row_group_bytes: the most that a row group takes.
        file_bytes: the most that a file takes.
    """
    files: list[list[int]] = []
    in_file = 0
    for rows, nbytes in _row_groups(sizes, min(row_group_bytes, file_bytes)):
        if not files or in_file + nbytes > file_bytes:
            files.append([])
            in_file = 0
        files[-1].append(rows)
        in_file += nbytes
    return files


def _row_groups(sizes: Iterable[int], most: int) -> Iterator[tuple[int, int]]:
    """Samples and bytes of each row group."""
    rows = nbytes = 0
    for size in sizes:
        if rows and nbytes + size + ROW_BYTES > most:
            yield rows, nbytes
            rows = nbytes = 0
        rows += 1
        nbytes += size + ROW_BYTES
    if rows:
        yield rows, nbytes
