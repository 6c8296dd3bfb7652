"""Fuzz the readers of a corpus: header, receipts, ledgers, indexes, facts and subset files."""

from __future__ import annotations

import functools
import io
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from fuzzing import DEEP, JUNK, Target, main, spoiled_bytes, spoiled_json
from hypothesis import strategies as st
from making import built, proxy_of, sa1b_members, tar_of

import sgt_data
from sgt_data.corpus.header import header_secrets, parse_header
from sgt_data.corpus.index import ends_of, parse_index
from sgt_data.corpus.receipt import add_up, parse_receipt
from sgt_data.errors import SgtDataError
from sgt_data.subsets.subset_file import read_subset_file


@functools.cache
def corpus() -> Path:
    """A small corpus and a subset file of it, made once for a process."""
    root = Path(tempfile.mkdtemp(prefix="fuzz"))
    (root / "sa_000000.tar").write_bytes(tar_of(sa1b_members(4)))
    source = {"type": "sa1b", "tars": str(root / "sa_000000.tar")}
    assert built(root / "corpus", source, [proxy_of("entity")]).succeeded
    sgt_data.subset(str(root / "corpus"), 0.5, file=str(root / "half.subset.parquet"))
    return root


def _file(pattern: str) -> bytes:
    return min(corpus().glob(pattern)).read_bytes()


def _json(pattern: str) -> st.SearchStrategy[bytes]:
    """A JSON file of the corpus with values, or with bytes, that are spoiled."""
    return st.deferred(
        lambda: (
            spoiled_json(json.loads(_file(pattern))).map(lambda each: json.dumps(each).encode())
            | spoiled_bytes(st.just(_file(pattern)))
            | DEEP
        )
    )


def _parquet(pattern: str) -> st.SearchStrategy[bytes]:
    """A Parquet file of the corpus with spoiled bytes, cells or columns."""
    return st.deferred(lambda: spoiled_bytes(st.just(_file(pattern))) | _tables(_file(pattern)))


@st.composite
def _tables(draw: st.DrawFn, data: bytes) -> bytes:
    table = pq.read_table(io.BytesIO(data))
    metadata = dict(pq.ParquetFile(io.BytesIO(data)).metadata.metadata or {})
    for _ in range(draw(st.integers(1, 3))):
        name = draw(st.sampled_from(table.column_names))
        place = table.column_names.index(name)
        field, values = table.schema.field(name), table[name].to_pylist()
        how = draw(st.sampled_from(["cell", "cell", "null", "drop", "text", "rows"]))
        try:
            if how == "drop":
                table = table.remove_column(place)
                break
            if how == "rows":
                table = pa.concat_tables([table] * draw(st.integers(2, 4)))
            elif how == "text":
                column = pa.array([str(value) for value in values])
                table = table.set_column(place, name, column)
            elif values:
                values[draw(st.integers(0, len(values) - 1))] = (
                    None if how == "null" else draw(JUNK | st.integers(-(2**63), 2**63 - 1))
                )
                table = table.set_column(place, field, pa.array(values, field.type))
        except (pa.ArrowException, OverflowError, TypeError, ValueError):
            continue  # this type of column cannot hold it
    known = {n: v for n, v in metadata.items() if n != b"ARROW:schema"}
    if b"sgt_data subset" in known and draw(st.booleans()):
        document = json.loads(known[b"sgt_data subset"])
        known[b"sgt_data subset"] = json.dumps(draw(spoiled_json(document))).encode()
    out = io.BytesIO()
    with pq.ParquetWriter(out, table.schema) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata(known)
    return out.getvalue()


def _ours(read: Callable[[bytes], object]) -> Callable[[bytes], None]:
    """A check: what is read ends in a value or in an error of ours."""

    def check(data: bytes) -> None:
        try:
            read(data)
        except SgtDataError as why:
            assert len(str(why)) < 3000

    return check


def _header(data: bytes) -> None:
    header = parse_header(data, "corpus.json")
    header_secrets(header)


def _receipt(data: bytes) -> None:
    add_up([parse_receipt(data, "receipt.json")])


def _index(data: bytes) -> None:
    index = parse_index(data, "index.parquet")
    if index.num_rows:
        ends_of(index)


def _at(name: str, use: Callable[[str], object]) -> Callable[[bytes], None]:
    """A check of a file in its place in a copy of the corpus."""

    def check(data: bytes) -> None:
        folder = Path(tempfile.mkdtemp(prefix="fuzz"))
        try:
            shutil.copytree(corpus() / "corpus", folder / "corpus")
            min(folder.glob(name)).write_bytes(data)
            use(str(folder / "corpus"))
        except SgtDataError as why:
            assert len(str(why)) < 3000
        finally:
            shutil.rmtree(folder)

    return check


def _subset(data: bytes) -> None:
    with tempfile.NamedTemporaryFile(suffix=".subset.parquet") as file:
        file.write(data)
        file.flush()
        read_subset_file(file.name)


def _opened(root: str) -> None:
    """All that a reader does with a corpus; `verify` names what is wrong and raises nothing."""
    sgt_data.verify_corpus(root, deep=True)
    opened = sgt_data.open_corpus(root)
    for sample in opened.samples("entity"):
        sgt_data.decode(sample.target, sample.facts)


TARGETS: dict[str, Target] = {
    "header": (_json("corpus/corpus.json"), _ours(_header)),
    "receipt": (_json("corpus/receipts/entity/*.json"), _ours(_receipt)),
    "index": (_parquet("corpus/index/entity/*.parquet"), _ours(_index)),
    "subset": (_parquet("*.subset.parquet"), _ours(_subset)),
    "header in place": (_json("corpus/corpus.json"), _at("corpus/corpus.json", _opened)),
    "receipt in place": (
        _json("corpus/receipts/entity/*.json"), _at("corpus/receipts/entity/*.json", _opened)
    ),
    "index in place": (
        _parquet("corpus/index/entity/*.parquet"), _at("corpus/index/entity/*.parquet", _opened)
    ),
    "tar in place": (
        st.deferred(lambda: spoiled_bytes(st.just(_file("corpus/entity/*.tar")))),
        _at("corpus/entity/*.tar", _opened),
    ),
    "ledger in place": (
        DEEP | spoiled_json({"key": "sa1b_1", "source": "sa1b", "slice": "sa_000000",
                             "member": "x", "kind": "damaged", "reason": "x"}).map(
            lambda row: json.dumps(row).encode() + b"\n"),
        _at("corpus/quarantine/entity/*.jsonl", _opened),
    ),
}  # fmt: skip

if __name__ == "__main__":
    try:
        main(TARGETS)
    finally:
        shutil.rmtree(corpus(), ignore_errors=True)
