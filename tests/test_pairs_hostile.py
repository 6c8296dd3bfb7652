"""Pairs of which anything may be wrong: rows, files, claims; each costs itself alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from making import (
    JUNK,
    bomb_png,
    built,
    check_accounts,
    jpeg,
    ledger_in,
    manifest_of,
    samples_in,
    spoiled,
    tar_of,
)
from pairing import PAIRED, SIZE, folders_source, png, reused_colours, sam_sgt, write

from sgt_data import CorpusError, RequestError, decode, open_corpus, verify_corpus
from sgt_data.engine.listing import list_inputs
from sgt_data.sources import pair_metadata, pair_parquet

ROW = {
    "input": "sam_selection/sa_0.jpg", "target": "sam_mask/sa_0.png", "instruction": "Do.",
    "more": [1, {"a": "b"}],
}  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_no_rows_break_a_build(seed: int, tmp_path: Path) -> None:
    root = sam_sgt(tmp_path / "in", 2)
    rng = np.random.default_rng(seed)
    rows = [ROW, *(spoiled(rng, ROW) for _ in range(25)), *JUNK]
    lines = [json.dumps(row).encode() for row in rows] + [b"\xff\xfe", b"[" * 2000, b'{"input": ']
    (root / "m.jsonl").write_bytes(b"\n".join(lines))
    source = {
        "type": "pairs", "metadata": f"{root}/m.jsonl", "input": "input", "target": "target",
        "text": "instruction",
    }  # fmt: skip
    report = built(tmp_path / "out", source, PAIRED)
    assert report.complete
    check_accounts(tmp_path / "out", report)
    totals = report.totals["paired"]
    assert totals["inputs"] == len(lines) and totals["samples"] >= 1
    assert verify_corpus(str(tmp_path / "out"), deep=True).sound


@pytest.mark.parametrize("seed", range(4))
def test_no_target_breaks_a_build(seed: int, tmp_path: Path) -> None:
    root = sam_sgt(tmp_path / "in", 4)
    rng = np.random.default_rng(seed)
    for path in sorted((root / "sam_mask").iterdir())[1:]:
        data = bytearray(path.read_bytes())
        for at in rng.integers(0, len(data), 4).tolist():
            data[at] = int(rng.integers(0, 256))
        path.write_bytes(bytes(data))
    write(root, {"sam_mask/sa_3.png": bomb_png(60_000, 60_000)})
    report = built(tmp_path / "out", folders_source(root), PAIRED)
    check_accounts(tmp_path / "out", report)
    assert verify_corpus(str(tmp_path / "out"), deep=True).sound
    reasons = {row["member"]: row["reason"] for row in ledger_in(tmp_path / "out", "paired")}
    assert "claims more than 178956970 pixels" in reasons["sa_3.jpg"]
    assert "pairs_sa_0" in samples_in(tmp_path / "out", "paired")


@pytest.mark.parametrize("seed", range(4))
def test_no_parquet_rows_break_a_build(seed: int, tmp_path: Path) -> None:
    root = sam_sgt(tmp_path / "in", 1)
    picture = (root / "sam_selection/sa_0.jpg").read_bytes()
    target = (root / "sam_mask/sa_0.png").read_bytes()
    rng = np.random.default_rng(seed)
    values: list[Any] = [None, [], [None], [picture], [b""], [picture, target], [target] * 3]
    rows = [
        {"image_list": values[int(rng.integers(0, 7))], "instruction_list": [[], None, [["Do."]],
         [["x", "y"]], [[None]]][int(rng.integers(0, 5))]}
        for _ in range(20)
    ]  # fmt: skip
    rows.append({"image_list": [picture, target], "instruction_list": [["Do."]]})
    schema = pa.schema(
        [
            ("image_list", pa.list_(pa.binary())),
            ("instruction_list", pa.list_(pa.list_(pa.string()))),
        ]
    )
    pq.write_table(pa.Table.from_pylist(rows, schema), root / "x.parquet", row_group_size=4)
    source = {"type": "pairs", "parquet": f"{root}/x.parquet"}
    report = built(tmp_path / "out", source, PAIRED)
    check_accounts(tmp_path / "out", report)
    assert report.totals["paired"]["inputs"] == 21
    assert "pairs_x-0000020" in samples_in(tmp_path / "out", "paired")


def test_a_parquet_file_that_claims_too_much_is_refused_before_a_page_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = pa.table({"input": [bytes(200 << 20)], "target": [b"x"], "text": ["x"]})
    pq.write_table(table, tmp_path / "bomb.parquet", compression="zstd", use_dictionary=False)
    source = {"type": "pairs", "parquet": f"{tmp_path}/*.parquet"}
    with pytest.raises(RequestError, match="claims to unpack to"):
        list_inputs(manifest_of(source, PAIRED))
    pq.write_table(pa.table({"input": [b"a"] * 9, "target": [b"b"] * 9, "text": ["c"] * 9}),
                   tmp_path / "bomb.parquet")  # fmt: skip
    monkeypatch.setattr(pair_parquet, "ROWS_MAX", 8)
    with pytest.raises(RequestError, match="claims 9 rows"):
        list_inputs(manifest_of(source, PAIRED))
    (tmp_path / "bomb.parquet").write_bytes(b"PAR1 and nothing PAR1")
    with pytest.raises(RequestError, match="is no Parquet file"):
        list_inputs(manifest_of(source, PAIRED))


@pytest.mark.parametrize("shard_samples", [2, 3, 9])
def test_a_key_that_comes_again_costs_its_row_alone(shard_samples: int, tmp_path: Path) -> None:
    keys = ["a", "a", "b", "a b", "a-b", "a"]
    pictures = [jpeg(*SIZE, seed=number) for number in range(6)]
    targets = [png(reused_colours(*SIZE, seed=number)) for number in range(6)]
    table = {
        "input": pictures,
        "target": targets,
        "text": [f"Do {number}." for number in range(6)],
        "key": keys,
    }
    pq.write_table(pa.table(table), tmp_path / "x.parquet")
    source = {"type": "pairs", "parquet": f"{tmp_path}/x.parquet", "key": "key"}
    report = built(tmp_path / "out", source, PAIRED, shard_samples=shard_samples)
    check_accounts(tmp_path / "out", report)
    samples = samples_in(tmp_path / "out", "paired")
    assert samples.keys() == {"pairs_a", "pairs_b", "pairs_a-b"}
    assert samples["pairs_a"]["txt"] == b"Do 0."
    assert samples["pairs_a-b"]["txt"] == b"Do 3."
    rows = ledger_in(tmp_path / "out", "paired")
    assert {row["member"] for row in rows} == {f"x.parquet row {number}" for number in (1, 4, 5)}
    assert all("which comes first" in row["reason"] for row in rows)


def test_a_list_of_gigabytes_is_refused_by_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = sam_sgt(tmp_path, 1)
    (root / "m.jsonl").write_text(json.dumps(ROW))
    monkeypatch.setattr(pair_metadata, "LIST_BYTES_MAX", 10)
    with pytest.raises(RequestError, match="a list has 10 at most"):
        list_inputs(manifest_of({"type": "pairs", "metadata": f"{root}/m.jsonl"}, PAIRED))


def test_names_of_a_list_lead_nowhere_else(tmp_path: Path) -> None:
    root = sam_sgt(tmp_path / "in", 1)
    write(tmp_path, {"other/x.jpg": jpeg(*SIZE), "other/x.png": png(reused_colours(*SIZE))})
    rows = [
        ROW | {"input": f"{tmp_path}/other/x.jpg"}, ROW | {"input": "../other/x.jpg"},
        ROW | {"target": "file:///etc/passwd"}, ROW | {"target": "simplecache::s3://a/b"},
    ]  # fmt: skip
    (root / "m.jsonl").write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(RequestError, match="no picture has a target"):
        built(tmp_path / "out", {"type": "pairs", "metadata": f"{root}/m.jsonl"}, PAIRED)


def test_a_tar_that_breaks_off_fails_its_slice_and_loses_nothing_in_silence(
    tmp_path: Path,
) -> None:
    members = [
        member
        for number in range(6)
        for member in ((f"{number}.jpg", jpeg(*SIZE, seed=number)),
                       (f"{number}.png", png(reused_colours(*SIZE, seed=number))))
    ]  # fmt: skip
    whole = tar_of([*members[:3], *members[4:]])
    source = {
        "type": "pairs", "tars": f"{tmp_path}/x.tar", "picture_suffix": ".jpg",
        "target_suffix": ".png",
    }  # fmt: skip
    lines = [{"type": "paired", "instructions": "segmentation_entity"}]
    (tmp_path / "x.tar").write_bytes(whole[: len(whole) // 2])
    assert not built(tmp_path / "out", source, lines).complete
    (tmp_path / "x.tar").write_bytes(whole)
    report = built(tmp_path / "out", source, lines)
    assert report.complete
    check_accounts(tmp_path / "out", report)
    (row,) = ledger_in(tmp_path / "out", "paired")
    assert row["reason"] == "the tar holds 1.jpg but no target beside it"


@pytest.mark.parametrize(
    "change",
    [
        lambda facts: facts | {"audit": None}, lambda facts: facts | {"audit": {"decodable": "x"}},
        lambda facts: facts | {"segments": 5}, lambda facts: facts | {"size": {}},
        lambda facts: facts | {"audit": {"decodable": "facts"}, "taken": "{}"},
        lambda facts: facts | {"audit": {"decodable": "facts"}, "taken": '{"type": "boxes"}'},
        lambda facts: facts | {"audit": {"decodable": "facts"}, "taken": '{"type": "generate"}'},
        lambda facts: facts | {"audit": {"decodable": "facts"}, "taken": "[" * 900},
        lambda facts: facts | {"audit": {"decodable": "facts"}, "taken": " " * (5 << 20)},
    ],
)  # fmt: skip
def test_facts_of_another_form_end_in_words(change: Any, tmp_path: Path) -> None:
    built(tmp_path / "out", folders_source(sam_sgt(tmp_path / "in", 1)), PAIRED)
    (sample,) = open_corpus(str(tmp_path / "out")).samples("paired")
    with pytest.raises(CorpusError):
        decode(sample.target, change(dict(sample.facts)))
