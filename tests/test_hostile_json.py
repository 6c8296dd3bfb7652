"""JSON and Parquet of corpora with values of other kinds, more levels, or more rows than ours."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from making import (
    built,
    coco_annotation,
    coco_document,
    coco_image,
    ledger_in,
    proxy_of,
    sa1b_members,
    tar_of,
    write_coco,
)

import sgt_data
from sgt_data.bounded_json import JSON_DEPTH_MAX, is_deeper, loads_bounded
from sgt_data.cli.app import main
from sgt_data.corpus.index import INDEX_SCHEMA, parse_index
from sgt_data.corpus.parquet_bounds import INDEX_ROWS_MAX
from sgt_data.corpus.receipt import parse_receipt
from sgt_data.errors import CorpusError, InputError, RequestError, SgtDataError
from sgt_data.files.outside_json import parse_json
from sgt_data.subsets.subset_file import read_subset_file
from sgt_data.value_text import cut

DEEP = b"[" * 1000 + b"]" * 1000


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sound")
    (root / "sa_000000.tar").write_bytes(tar_of(sa1b_members(4)))
    source = {"type": "sa1b", "tars": str(root / "sa_000000.tar")}
    assert built(root / "corpus", source, [proxy_of("entity")]).succeeded
    return root / "corpus"


def changed(name: str, value: Any) -> Callable[[Path], None]:
    """The header with another value."""

    def change(corpus: Path) -> None:
        document = json.loads((corpus / "corpus.json").read_text())
        document[name] = value
        (corpus / "corpus.json").write_text(json.dumps(document))

    return change


def put(pattern: str, data: bytes) -> Callable[[Path], None]:
    return lambda corpus: [place.write_bytes(data) for place in corpus.glob(pattern)] and None


SPOILS: dict[str, Callable[[Path], None]] = {
    **{
        f"{name} {value!r}": changed(name, value)
        for name in ("fingerprints", "shards", "totals", "source_totals", "vocabulary", "samples",
                     "manifest", "identity", "left_out", "parent")
        for value in (7, "x", {"entity": None}, [[]])
    },
    "deep header": put("corpus.json", DEEP),
    "deep manifest": changed("manifest", {"x": json.loads(b"[" * 300 + b"]" * 300)}),
    "deep receipt": put("receipts/*/*.json", DEEP),
    "deep ledger": put("quarantine/*/*.jsonl", DEEP + b"\n"),
    "ledger of numbers": put(
        "quarantine/*/*.jsonl",
        b'{"key": true, "member": 1, "kind": "damaged", "reason": 7, "source": 1, "slice": 2}\n',
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", SPOILS)
def test_values_of_another_kind_end_in_words(
    kind: str, sound: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(sound, tmp_path / "corpus")
    SPOILS[kind](tmp_path / "corpus")
    for verb in ("verify", "info"):
        with pytest.raises(SystemExit):
            main([verb, str(tmp_path / "corpus")])
        assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("inputs", -1), ("inputs", True), ("notes", -3), ("lost", "x"), ("tar", {}),
        ("tar", {"bytes": "x", "sha256": "y"}), ("index", {"bytes": -1, "sha256": "y"}),
        ("quarantine", {"bytes": 1, "sha256": None}),
    ],
)  # fmt: skip
def test_a_receipt_of_wrong_values_is_refused(field: str, value: Any, sound: Path) -> None:
    receipt = json.loads(min(sound.glob("receipts/*/*.json")).read_text())
    with pytest.raises(CorpusError, match=f"field {field} is"):
        parse_receipt(json.dumps(receipt | {field: value}).encode(), "r.json")


def test_depth_is_bounded_and_ours_is_far_below(sound: Path) -> None:
    for place in sound.rglob("*.json"):
        assert not is_deeper(json.loads(place.read_bytes()), 16)
    fits = b"[" * JSON_DEPTH_MAX + b"]" * JSON_DEPTH_MAX
    assert loads_bounded(fits) and not is_deeper(loads_bounded(fits), JSON_DEPTH_MAX)
    with pytest.raises(orjson.JSONDecodeError, match="nested deeper than 64 levels"):
        loads_bounded(b"[" + fits + b"]")
    deep: Any = []
    for _ in range(5000):
        deep = [deep]
    assert cut(deep) == "a value that is nested deeply"


def test_facts_of_many_levels_are_refused_where_they_are_looked_at(sound: Path) -> None:
    sample = next(iter(sgt_data.open_corpus(str(sound)).samples("entity")))
    facts = orjson.dumps(dict(sample.facts)).removesuffix(b"}") + b',"x":' + DEEP + b"}"
    with pytest.raises(CorpusError, match="the facts are not JSON"):
        sgt_data.decode(sample.target, facts)


def test_annotations_of_many_levels_are_refused_with_their_file(tmp_path: Path) -> None:
    deep = json.loads(b"[" * 400 + b"]" * 400)
    document = coco_document([coco_image(1)], [coco_annotation(1, 1, deep)])
    root = write_coco(tmp_path / "coco", {}, {"instances": document})
    source = {"type": "coco", "root": str(root), "annotations": ["instances"]}
    try:
        built(tmp_path / "corpus", source, [proxy_of("instance")])
        reason = ledger_in(tmp_path / "corpus", "instance")[0]["reason"]
    except RequestError as why:
        reason = str(why)
    assert "nested deeper than 64 levels" in reason
    with pytest.raises(InputError, match="nested deeper than 64 levels"):
        parse_json(b'["' + b"]" * 900 + b'",' + DEEP + b"]", "x.json")
    brackets = json.dumps(["[" * 2000, {"a": "}" * 2000}]).encode()
    assert parse_json(brackets, "x.json") == json.loads(brackets)


def parquet(table: pa.Table, metadata: dict[str, str] | None = None) -> bytes:
    out = io.BytesIO()
    with pq.ParquetWriter(out, table.schema, compression="zstd") as writer:
        writer.write_table(table)
        writer.add_key_value_metadata(metadata or {})
    return out.getvalue()


def test_an_index_that_claims_more_than_a_shard_holds_is_refused_before_it_is_read(
    sound: Path,
) -> None:
    index = pq.read_table(min(sound.glob("index/*/*.parquet"))).cast(INDEX_SCHEMA)
    many = pa.concat_tables([index.slice(0, 1)] * (INDEX_ROWS_MAX + 1)).combine_chunks()
    with pytest.raises(CorpusError, match="100001 rows; allowed: 100000"):
        parse_index(parquet(many), "index.parquet")
    long = index.set_column(0, "key", pa.array(["x" * (200 << 20)] * 1 + ["y"] * (len(index) - 1)))
    with pytest.raises(CorpusError, match="claim to unpack to"):
        parse_index(parquet(long.cast(INDEX_SCHEMA)), "index.parquet")


@pytest.mark.parametrize("document", ["null", "[]", "{}", "7", DEEP.decode()])
def test_a_subset_file_of_another_document_is_refused(document: str, tmp_path: Path) -> None:
    table = pa.table({"shard": pa.array(["a"]).dictionary_encode(), "key": ["k"]})
    place = tmp_path / "x.subset.parquet"
    place.write_bytes(parquet(table, {"sgt_data subset": document}))
    with pytest.raises(SgtDataError, match=r"x\.subset\.parquet"):
        read_subset_file(str(place))
