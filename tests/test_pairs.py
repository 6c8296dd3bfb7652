"""Pairs from elsewhere, in every layout: which files belong together, and what is lost by name."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from making import (
    built,
    check_accounts,
    jpeg,
    ledger_in,
    manifest_of,
    samples_in,
    tar_of,
)  # fmt: skip
from pairing import PAIRED, SIZE, edited, folders_source, png, reused_colours, sam_sgt, write

from sgt_data import RequestError, export_corpus, open_corpus, verify_corpus
from sgt_data.cli.app import main
from sgt_data.engine.listing import list_inputs
from sgt_data.proxies.decoding import decode

COUNT = 6


def files_of(root: Path) -> list[tuple[str, bytes, bytes, str]]:
    """Name, picture, target and text of each pair of `sam_sgt`."""
    return [
        (
            path.stem, path.read_bytes(), (root / f"sam_mask/{path.stem}.png").read_bytes(),
            (root / f"text/{path.stem}.txt").read_text().strip(),
        )
        for path in sorted((root / "sam_selection").iterdir())
    ]  # fmt: skip


def as_paths(root: Path) -> dict[str, Any]:
    """The list of SGT's loaders: absolute paths of another machine."""
    names = [f"/elsewhere/sam_selection/{name}.jpg\n" for name, *_ in files_of(root)]
    (root / "all.txt").write_text("".join(names) + "\n")
    return folders_source(root, paths=f"{root}/all.txt")


def as_one_folder(root: Path) -> dict[str, Any]:
    for name, picture, target, text in files_of(root):
        write(
            root / "flat",
            {f"{name}.jpg": picture, f"{name}_mask.png": target, f"{name}.txt": text.encode()},
        )
    flat = f"{root}/flat"
    return {
        "type": "pairs", "pictures": flat, "targets": flat, "texts": flat,
        "target_suffix": "_mask.png",
    }  # fmt: skip


def as_metadata(root: Path) -> dict[str, Any]:
    rows = [
        {"input_image": f"sam_selection/{name}.jpg", "output_image": f"sam_mask/{name}.png",
         "instruction": text}
        for name, *_, text in files_of(root)
    ]  # fmt: skip
    (root / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {"type": "pairs", "metadata": f"{root}/metadata.jsonl"}


def as_json_list(root: Path) -> dict[str, Any]:
    rows = [
        {"a": [f"/old/place/sam_selection/{name}.jpg"], "b": f"sam_mask/{name}.png",
         "words": [text, "another"]}
        for name, *_, text in files_of(root)
    ]  # fmt: skip
    (root / "list.json").write_text(json.dumps(rows))
    return {
        "type": "pairs", "metadata": f"{root}/list.json", "input": "a", "target": "b",
        "text": "words",
    }  # fmt: skip


def as_targets_by_name(root: Path) -> dict[str, Any]:
    """Rows that name no target, as those of SGT's own JSON Lines."""
    rows = [
        {"image": f"sam_selection/{name}.jpg", "generation_prompt": text}
        for name, *_, text in files_of(root)
    ]
    (root / "x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {"type": "pairs", "metadata": f"{root}/x.jsonl", "targets": f"{root}/sam_mask"}


def as_hub_parquet(root: Path) -> dict[str, Any]:
    """Image features of Hugging Face datasets, in row groups that no shard fits."""
    rows = [
        {"key": name, "src_img": {"bytes": picture, "path": None},
         "edited_img": {"bytes": target, "path": "x.png"}, "edited_prompt_list": [text, "other"]}
        for name, picture, target, text in files_of(root)
    ]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows), root / "train-00000.parquet", row_group_size=5)
    return {"type": "pairs", "parquet": f"{root}/*.parquet", "key": "key"}


def as_bagel_parquet(root: Path) -> dict[str, Any]:
    rows = [
        {"image_list": [picture, target], "instruction_list": [[text]], "id": name}
        for name, picture, target, text in files_of(root)
    ]
    pq.write_table(pa.Table.from_pylist(rows), root / "b.parquet", row_group_size=2)
    return {"type": "pairs", "parquet": f"{root}/b.parquet", "key": "id"}


def as_tars(root: Path) -> dict[str, Any]:
    members = [
        member
        for name, picture, target, text in files_of(root)
        for member in ((f"{name}.jpg", picture), (f"{name}.png", target),
                       (f"{name}.txt", text.encode()))
    ]  # fmt: skip
    (root / "t-000.tar").write_bytes(tar_of(members[:9]))
    (root / "t-001.tar").write_bytes(tar_of(members[9:]))
    return {
        "type": "pairs", "tars": f"{root}/t-*.tar", "picture_suffix": ".jpg",
        "target_suffix": ".PNG", "text_suffix": ".txt",
    }  # fmt: skip


def as_tar_of_folders(root: Path) -> dict[str, Any]:
    """The folders in one tar, all pictures first; texts in JSON."""
    pairs = files_of(root)
    members = [(f"sam_selection/{name}.jpg", picture) for name, picture, *_ in pairs]
    members += [(f"sam_mask/{name}.png", target) for name, _, target, _ in pairs]
    members += [(f"sam_text/{n}.json", json.dumps({"say": t}).encode()) for n, _, _, t in pairs]
    (root / "folders.tar").write_bytes(tar_of(members))
    return {
        "type": "pairs", "tars": f"{root}/folders.tar", "picture_suffix": ".jpg",
        "target_suffix": ".png", "text_suffix": ".json", "text": "say",
    }  # fmt: skip


LAYOUTS = [
    folders_source, as_paths, as_one_folder, as_metadata, as_json_list, as_targets_by_name,
    as_hub_parquet, as_bagel_parquet, as_tars, as_tar_of_folders,
]  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda each: each.__name__)
def test_every_layout_gives_the_same_pairs(
    layout: Callable[[Path], dict[str, Any]], tmp_path: Path
) -> None:
    root = sam_sgt(tmp_path / "in", COUNT)
    report = built(tmp_path / "out", layout(root), PAIRED)
    assert report.succeeded, report
    check_accounts(tmp_path / "out", report)
    assert ledger_in(tmp_path / "out", "paired") == []
    assert verify_corpus(str(tmp_path / "out"), deep=True).sound
    stored = {
        key.removeprefix("pairs_").removeprefix("sam_selection-"): (
            files["target.png"], files["txt"].decode()
        )
        for key, files in samples_in(tmp_path / "out", "paired").items()
    }  # fmt: skip
    assert stored == {name: (target, text) for name, _, target, text in files_of(root)}


def test_what_has_no_partner_is_a_row_of_the_ledger(tmp_path: Path) -> None:
    root = sam_sgt(tmp_path / "in", COUNT)
    (root / "sam_mask/sa_0.png").unlink()
    (root / "sam_selection/sa_1.jpg").unlink()
    (root / "sam_mask/sa_2.png").write_bytes((root / "sam_mask/sa_2.png").read_bytes()[:200])
    (root / "text/sa_3.txt").unlink()
    (root / "text/sa_4.txt").write_text(" \n")
    write(root, {"sam_mask/sa_5.png": png(reused_colours(64, 96))})
    write(root, {"sam_selection/sa_6.jpg": jpeg(*SIZE), "text/sa_6.txt": b"Go."})
    write(root, {"sam_mask/sa_6.png": png(reused_colours(*SIZE)), "sam_mask/sa_6.jpg": jpeg(*SIZE)})
    report = built(tmp_path / "out", folders_source(root), [*PAIRED, {"type": "edge"}])
    check_accounts(tmp_path / "out", report)
    assert samples_in(tmp_path / "out", "paired") == {}
    reasons = {row["member"]: row["reason"] for row in ledger_in(tmp_path / "out", "paired")}
    for member, words in {
        "sa_0.jpg": "there is no target of the name sa_0",
        "sa_1.png": "there is the target sa_1.png but no picture of its name",
        "sa_2.jpg": "the target: the picture cannot be decoded",
        "sa_3.jpg": "there is no text of the name sa_3",
        "sa_4.jpg": "text: it is empty",
        "sa_5.jpg": "the target is 64x96, the picture 96x64",
        "sa_6.jpg": "the target may be sa_6.jpg or sa_6.png",
    }.items():
        assert words in reasons.pop(member)
    assert reasons == {}
    drawn = samples_in(tmp_path / "out", "edge")
    assert sorted(drawn) == [f"pairs_sa_{n}" for n in (0, 2, 3, 4, 5, 6)], "its picture is sound"


def test_rows_that_name_nothing_are_rows_of_the_ledger(tmp_path: Path) -> None:
    root = sam_sgt(tmp_path / "in", 3)
    write(tmp_path, {"secret.png": png(reused_colours(*SIZE)), "secret.jpg": jpeg(*SIZE)})
    row = {"input_image": "sam_selection/sa_0.jpg", "output_image": "sam_mask/sa_0.png",
           "instruction": "Do."}  # fmt: skip
    lines = [
        json.dumps(row), json.dumps(row | {"output_image": "sam_mask/sa_1.png"}), "{broken", "7",
        json.dumps(row | {"input_image": "../secret.jpg"}),
        json.dumps(row | {"output_image": f"{tmp_path}/secret.png"}),
        json.dumps(row | {"output_image": "http://127.0.0.1:9/x.png"}),
        json.dumps(row | {"input_image": ["sam_selection/sa_0.jpg"] * 2}),
        json.dumps(row | {"instruction": 5}),
        json.dumps({"instruction": "Do."}),
    ]  # fmt: skip
    (root / "m.jsonl").write_text("\n".join(lines))
    source = {"type": "pairs", "metadata": f"{root}/m.jsonl"}
    report = built(tmp_path / "out", source, PAIRED)
    check_accounts(tmp_path / "out", report)
    assert sorted(samples_in(tmp_path / "out", "paired")) == [
        "pairs_sa_0-sa_0", "pairs_sa_0-sa_1",
    ]  # fmt: skip
    lost = ledger_in(tmp_path / "out", "paired")
    reasons = "\n".join(f"{row['member']}: {row['reason']}" for row in lost)
    assert reasons.count("line 3") == 1
    for words in (
        "m.jsonl line 3: not JSON", "line 4: found 7", "there is no '../secret.jpg' below",
        f"there is no '{str(tmp_path)[:30]}", "http://127.0.0.1:9/x.png' below",
        "input: a list of 2; a pair has",
        "text: found 5, which is no text", "line 10: input: found None",
    ):  # fmt: skip
        assert words in reasons, words


def test_a_field_that_may_be_meant_twice_is_refused_with_its_names(tmp_path: Path) -> None:
    root = sam_sgt(tmp_path, 1)
    source = as_metadata(root)
    text = (root / "metadata.jsonl").read_text()
    (root / "metadata.jsonl").write_text(text.replace('{"inp', '{"prompt": "p", "inp'))
    with pytest.raises(RequestError, match=r"pairs\.text: rows have instruction and prompt; say"):
        list_inputs(manifest_of(source, PAIRED))
    list_inputs(manifest_of(source | {"text": "prompt"}, PAIRED))
    with pytest.raises(RequestError, match=r"rows have no field 'promt'.*prompt"):
        list_inputs(manifest_of(source | {"text": "promt"}, PAIRED))
    (root / "metadata.jsonl").write_text('{"x": 1, "y": 2}')
    with pytest.raises(RequestError, match=r"pairs\.input: no field of the rows has a usual name"):
        list_inputs(manifest_of(source, PAIRED))
    (root / "metadata.jsonl").write_text('{"image": "sam_selection/sa_0.jpg", "prompt": "p"}')
    with pytest.raises(RequestError, match=r"pairs\.target: .*\(targets: FOLDER where rows"):
        list_inputs(manifest_of(source, PAIRED))
    list_inputs(manifest_of(source | {"targets": f"{root}/sam_mask"}, PAIRED))


def test_a_name_that_two_folders_have_asks_for_the_root(tmp_path: Path) -> None:
    root = sam_sgt(tmp_path, 1)
    source = as_metadata(root)
    for copy in ("a", "b"):
        shutil.copytree(root / "sam_selection", root / f"{copy}/sam_selection")
    shutil.rmtree(root / "sam_selection")
    with pytest.raises(RequestError, match=r"first: metadata.jsonl line 1: input: .* as root"):
        list_inputs(manifest_of(source, PAIRED))


def test_a_text_in_parquet_is_never_taken_for_the_picture(tmp_path: Path) -> None:
    """Sets of the Hub name the file, too, beside the picture with its bytes."""
    ((name, picture, target, text),) = files_of(sam_sgt(tmp_path / "in", 1))
    row = {"input_image": {"bytes": picture, "path": name}, "file_name": name,
           "edited_image": target, "instruction": text, "result": 5}  # fmt: skip
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "rows.parquet")
    source = {"type": "pairs", "parquet": f"{tmp_path}/rows.parquet"}
    assert built(tmp_path / "out", source, PAIRED).succeeded
    (sample,) = samples_in(tmp_path / "out", "paired").values()
    assert sample["target.png"] == target and sample["txt"].decode() == text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "give one of pictures"),
        ({"pictures": "/a"}, "give targets"),
        ({"pictures": "/a", "targets": "/b", "tars": "/c"}, "found pictures and tars"),
        ({"tars": "/a", "root": "/b"}, "root goes with metadata, not with tars"),
        ({"pictures": "/a", "targets": "/b", "input": "x"}, "input goes with metadata or parquet"),
        ({"parquet": "/a", "facts": "/b"}, "facts goes with pictures and metadata"),
        ({"pictures": "/a", "targets": "/b", "orientation": "upright"}, "orientation is upright"),
    ],
)
def test_fields_that_do_not_go_together_are_refused(fields: dict[str, str], words: str) -> None:
    with pytest.raises(RequestError, match=words):
        manifest_of({"type": "pairs", **fields}, [{"type": "edge"}])


def test_endings_of_tars_are_asked_for_with_those_that_there_are(tmp_path: Path) -> None:
    source = as_tars(sam_sgt(tmp_path, 3))
    del source["target_suffix"]
    with pytest.raises(RequestError, match=r"target_suffix: not given.*\.jpg \(3\), \.png \(3\)"):
        list_inputs(manifest_of(source, PAIRED))
    with pytest.raises(RequestError, match=r"no member of .* ends with \.webp"):
        list_inputs(manifest_of(source | {"target_suffix": ".webp"}, PAIRED))


def test_a_source_without_texts_needs_lines(tmp_path: Path) -> None:
    source = folders_source(sam_sgt(tmp_path / "in", 2))
    del source["texts"]
    with pytest.raises(RequestError, match="the source states no text for its pairs"):
        manifest_of(source, PAIRED)
    lines = [{"type": "paired", "instructions": "segmentation_entity"}]
    assert built(tmp_path / "out", source, lines).succeeded
    assert verify_corpus(str(tmp_path / "out"), deep=True).sound


def test_lines_of_a_manifest_may_hold_the_text(tmp_path: Path) -> None:
    source = folders_source(sam_sgt(tmp_path / "in", 2))
    lines = {"bank": "mine", "train": ["Edit: {text}"], "held_out": ["Change: {text}"]}
    built(tmp_path / "out", source, [{"type": "paired", "instructions": lines}])
    (first, _) = open_corpus(str(tmp_path / "out")).samples("paired")
    assert first.instruction == "Edit: Paint picture 0."
    assert verify_corpus(str(tmp_path / "out"), deep=True).sound


def test_a_text_keeps_its_lines_and_loses_what_no_line_can_hold(tmp_path: Path) -> None:
    root = sam_sgt(tmp_path / "in", 4)
    (root / "text/sa_0.txt").write_bytes("\ufeffOne  {word}\t.\r\n\r\n Two ä \n".encode())
    (root / "text/sa_1.txt").write_bytes(b"bell \x07")
    (root / "text/sa_2.txt").write_bytes(b"\xff\xfe")
    (root / "text/sa_3.txt").write_text("x" * 8001)
    built(tmp_path / "out", folders_source(root), PAIRED)
    (sample,) = open_corpus(str(tmp_path / "out")).samples("paired")
    assert sample.instruction == "One  {word} .\n\nTwo ä"
    assert verify_corpus(str(tmp_path / "out"), deep=True).sound
    reasons = [row["reason"] for row in ledger_in(tmp_path / "out", "paired")]
    assert ["control character" in reasons[0], "no UTF-8" in reasons[1], "8001" in reasons[2]] == [
        True, True, True,
    ]  # fmt: skip


def test_a_pair_that_changed_is_another_build(tmp_path: Path) -> None:
    root = sam_sgt(tmp_path / "in", 3)
    before = list_inputs(manifest_of(folders_source(root), PAIRED)).inventories["pairs"].identity
    (root / "text/sa_0.txt").write_text("Something longer than before.")
    after = list_inputs(manifest_of(folders_source(root), PAIRED)).inventories["pairs"].identity
    assert before != after
    moved = root.rename(tmp_path / "moved")
    same = list_inputs(manifest_of(folders_source(moved), PAIRED)).inventories["pairs"].identity
    assert after == same


@pytest.mark.parametrize("form", ["bagel", "omnigen2"])
def test_our_exports_come_back_with_the_same_label_maps(
    form: Any, sample_sources: Path, tmp_path: Path
) -> None:
    source = {
        "type": "coco", "root": f"{sample_sources}/coco", "annotations": ["instances", "panoptic"],
    }  # fmt: skip
    proxies = [
        {"type": "segmentation", "name": "panoptic", "variant": "panoptic"}, {"type": "legend"},
    ]  # fmt: skip
    built(tmp_path / "corpus", source, proxies)
    export_corpus(str(tmp_path / "corpus"), str(tmp_path / "export"), form)
    export = (tmp_path / "export").rename(tmp_path / "elsewhere")
    corpus = open_corpus(str(tmp_path / "corpus"))
    for proxy in corpus.proxies:
        pairs = {
            "type": "pairs", "metadata": f"{export}/{proxy}.jsonl",
            "facts": f"{tmp_path}/corpus/{proxy}/*.tar",
        }  # fmt: skip
        if form == "bagel":
            pairs |= {"root": f"{export}/{proxy}", "targets": f"{export}/{proxy}/sam_mask"}
        assert built(tmp_path / f"again-{proxy}", pairs, PAIRED).succeeded
        again = {s.key: s for s in open_corpus(str(tmp_path / f"again-{proxy}")).samples("paired")}
        assert len(again) == sum(corpus.samples_per_shard(proxy)) > 0
        for sample in corpus.samples(proxy):
            copy = again[f"pairs_{sample.key}"]
            assert copy.target == sample.target and copy.instruction == sample.instruction
            before, after = (decode(each.target, each.facts) for each in (sample, copy))
            assert (before.labels == after.labels).all() and before.segments == after.segments


def test_a_corpus_itself_is_a_source_of_pairs(sample_sources: Path, tmp_path: Path) -> None:
    source = {"type": "sa1b", "tars": f"{sample_sources}/sa1b/sa_000000.tar",
              "depth": f"{sample_sources}/depth"}  # fmt: skip
    built(tmp_path / "corpus", source, [{"type": "depth", "bits": 16}])
    pairs = {
        "type": "pairs", "tars": f"{tmp_path}/corpus/depth/*.tar", "picture_suffix": ".input.jpg",
        "target_suffix": ".target.png", "text_suffix": ".txt", "facts_suffix": ".json",
    }  # fmt: skip
    assert built(tmp_path / "again", pairs, PAIRED).succeeded
    again = open_corpus(str(tmp_path / "again"))
    for before, after in zip(
        open_corpus(str(tmp_path / "corpus")).samples("depth"), again.samples("paired"), strict=True
    ):
        expected = decode(before.target, before.facts).inverse_depth
        assert (decode(after.target, after.facts).inverse_depth == expected).all()


def test_info_says_what_the_targets_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = sam_sgt(tmp_path / "in", 4)
    write(root, {"sam_mask/sa_0.png": png(edited(*SIZE)), "sam_mask/sa_1.png": png(edited(48, 32))})
    built(tmp_path / "out", folders_source(root), PAIRED)
    with pytest.raises(SystemExit):
        main(["info", str(tmp_path / "out"), "--json"])
    (audits,) = json.loads(capsys.readouterr().out)["audits"].values()
    assert audits["kinds"] == {"labels": 2, "picture": 2}
    assert audits["decodable"] == {"colors": 2, "no": 2}
    assert audits["stored"] == {"as it is": 3, "bicubic": 1}
    assert audits["other_size"] == 1
    with pytest.raises(SystemExit):
        main(["info", str(tmp_path / "out")])
    assert "2 by their colours, 2 not" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("form", ["bagel-edit", "hf"])
def test_our_exports_as_parquet_bring_their_facts_along(
    form: Any, sample_sources: Path, tmp_path: Path
) -> None:
    source = {"type": "sa1b", "tars": f"{sample_sources}/sa1b/sa_000000.tar"}
    built(tmp_path / "corpus", source)
    export_corpus(str(tmp_path / "corpus"), str(tmp_path / "export"), form)
    pairs = {
        "type": "pairs", "parquet": f"{tmp_path}/export/entity/*.parquet", "key": "key",
        "facts_field": "facts",
    }  # fmt: skip
    assert built(tmp_path / "again", pairs, PAIRED).succeeded
    again = {s.key: s for s in open_corpus(str(tmp_path / "again")).samples("paired")}
    for sample in open_corpus(str(tmp_path / "corpus")).samples("entity"):
        copy = again[f"pairs_{sample.key}"]
        assert copy.target == sample.target and copy.instruction == sample.instruction
        before, after = (decode(each.target, each.facts) for each in (sample, copy))
        assert (before.labels == after.labels).all() and before.segments == after.segments


@pytest.mark.parametrize(
    ("form", "stated"),
    [
        ("omnigen2", {"metadata": "entity.jsonl"}),
        ("folders", {"metadata": "entity/metadata.jsonl"}),
        ("bagel", {"metadata": "entity.jsonl", "root": "entity", "targets": "entity/sam_mask"}),
    ],
)
def test_our_exports_as_lists_are_read_as_the_page_says(
    form: Any, stated: dict[str, str], sample_sources: Path, tmp_path: Path
) -> None:
    """Of two proxies, so that the name of a picture alone does not tell its file."""
    source = {"type": "sa1b", "tars": f"{sample_sources}/sa1b/sa_000000.tar"}
    drawn = [{"type": "segmentation", "variant": "entity", "name": "entity"}, {"type": "edge"}]
    built(tmp_path / "corpus", source, drawn)
    export_corpus(str(tmp_path / "corpus"), str(tmp_path / "export"), form)
    pairs = {name: f"{tmp_path}/export/{path}" for name, path in stated.items()}
    pairs |= {"type": "pairs", "facts": f"{tmp_path}/corpus/entity/*.tar"}
    assert built(tmp_path / "again", pairs, PAIRED).succeeded
    again = open_corpus(str(tmp_path / "again")).samples("paired")
    labels = {sample.target: decode(sample.target, sample.facts).labels for sample in again}
    for sample in open_corpus(str(tmp_path / "corpus")).samples("entity"):
        assert (labels[sample.target] == decode(sample.target, sample.facts).labels).all()
