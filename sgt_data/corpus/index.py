"""The index of a shard: a Parquet file with a row per sample, which says where its members lie."""

from __future__ import annotations

import tarfile
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sgt_data.corpus.mending import REMOVE_AND_MAKE_AGAIN
from sgt_data.corpus.parquet_bounds import INDEX_ROWS_MAX, check_claims
from sgt_data.errors import CorpusError, LeavesRoot
from sgt_data.files.file_signs import lfs_note
from sgt_data.foreign_errors import in_words
from sgt_data.names import KEY_ALPHABET, KEY_LENGTH_MAX, KEY_LETTERS, is_key
from sgt_data.value_text import cut

MEMBERS = ("input", "target", "instruction", "facts")
"""The members of a sample, as the index names them, in the order of the tar. Where the pictures are
shared, samples lack `input`, and the shared inputs have but `input` and `facts`."""

_TARGETS = frozenset({"png", "jpg"})

INDEX_SCHEMA = pa.schema(
    [
        ("key", pa.string()),
        ("source", pa.string()),
        ("member", pa.string()),
        ("licence", pa.string()),
        ("source_sha256", pa.string()),
        ("source_width", pa.int32()),
        ("source_height", pa.int32()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("segments", pa.int32()),
        ("categories", pa.list_(pa.string())),
        ("target_extension", pa.string()),
    ]
    + [
        (f"{member}_{what}", kind)
        for member in MEMBERS
        for what, kind in (("offset", pa.int64()), ("size", pa.int64()), ("crc32", pa.uint32()))
    ]
)
"""A row per key. `<member>_offset` and `_size` give a member's bytes within the tar, `_crc32` their
checksum (zlib's), all null where a sample has no such member; `source_sha256` is of the picture
file as the source holds it."""


def ends_of(index: pa.Table) -> NDArray[np.int64]:
    """[n] int64: where each sample of an index ends in its tar, and the next sample begins.

    The facts are a sample's last member, and members fill whole blocks.
    """
    facts = index["facts_offset"].to_numpy() + index["facts_size"].to_numpy()
    ends: NDArray[np.int64] = -(-facts // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
    return ends


def index_bytes(table: pa.Table) -> bytes:
    """An index (`INDEX_SCHEMA`) as a Parquet file."""
    out = pa.BufferOutputStream()
    table = table.cast(INDEX_SCHEMA)  # an index that was read names the items of lists otherwise
    pq.write_table(table, out, compression="zstd", write_statistics=True)
    encoded: bytes = out.getvalue().to_pybytes()
    return encoded


def parse_index(data: bytes, where: str, columns: Sequence[str] | None = None) -> pa.Table:
    """All columns of an index, or some.

    Raises:
        CorpusError: the bytes are no index of this version.
        LeavesRoot: a row's key could lead out of the folder in which it names a file.
    """
    try:
        with pq.ParquetFile(pa.BufferReader(data)) as file:
            if not file.schema_arrow.equals(INDEX_SCHEMA):
                raise CorpusError(f"{where} has other columns than an index has")
            check_claims(file.metadata, len(data), INDEX_ROWS_MAX, where)
            index = file.read(columns, use_threads=False)
        index.validate(full=True)  # texts that are UTF-8, offsets within their bytes
    except (pa.ArrowException, OSError, ValueError) as why:
        problem = f"{in_words(why).rstrip('.')}{lfs_note(data)}"
        raise CorpusError(f"{where} is not an index: {problem}. {REMOVE_AND_MAKE_AGAIN}") from why
    if "key" in index.column_names:
        check_keys(index["key"], where)
    if "target_extension" in index.column_names:
        _check_extensions(index["target_extension"], where)
    return index


def check_keys(keys: pa.ChunkedArray, where: str) -> None:
    """Check the keys of samples, of which names of files are made.

    Raises:
        LeavesRoot: one of them is none; names `where` and its row.
    """
    sound = pc.and_(
        pc.match_substring_regex(keys, KEY_LETTERS),
        pc.less_equal(pc.binary_length(keys), KEY_LENGTH_MAX),
    )
    if keys.null_count or not pc.all(sound, min_count=0).as_py():
        values = keys.to_pylist()
        row = next(row for row, key in enumerate(values) if not is_key(key))
        raise LeavesRoot(
            f"{where}: the key of row {row + 1} is {cut(values[row])}; a key must be {KEY_ALPHABET}"
        )


def _check_extensions(extensions: pa.ChunkedArray, where: str) -> None:
    unknown = sorted({str(value) for value in extensions.unique().to_pylist() if value} - _TARGETS)
    if unknown:
        raise LeavesRoot(
            f"{where}: target_extension is {cut(unknown[0])}; allowed: "
            f"{', '.join(sorted(_TARGETS))}"
        )
