"""The export of editing data: Parquet files that BAGEL's `unified_edit` deals out whole."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from corpora import both_sources_document
from hypothesis import given
from hypothesis import strategies as st
from making import samples_in
from s3_server import new_bucket, s3_in_use

from sgt_data import IN_PROCESS, build_corpus, decode, open_corpus, subset, write_questions
from sgt_data.errors import CorpusError, RequestError
from sgt_data.exports import edit_parquet, row_groups
from sgt_data.exports.export import export_corpus
from sgt_data.exports.export_options import ExportOptions
from sgt_data.exports.export_report import ExportReport
from sgt_data.exports.row_groups import group_samples, planned_files
from sgt_data.exports.stored_sizes import sizes_of_proxy
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.progress import Progress

COUNTS = {"panoptic": 12, "edge": 24, "denoise": 24, "draw": 12}
SMALL = ExportOptions(ranks=2, workers=2)


@pytest.fixture(scope="module")
def corpora(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same samples with pictures embedded and shared; `draw` reverses panoptic."""
    root = tmp_path_factory.mktemp("corpora")
    document = both_sources_document(sample_sources, shard_samples=5)
    document["proxies"] = [
        {"type": "segmentation", "name": "panoptic", "variant": "panoptic", "sources": ["coco"]},
        {"type": "edge"},
        {"type": "denoise"},
        {"type": "generate", "name": "draw", "of": "panoptic"},
    ]
    for inputs in ("embedded", "shared"):
        manifest = parse_manifest(document | {"inputs": inputs})
        assert build_corpus(manifest, str(root / inputs), cluster=IN_PROCESS).succeeded
    return {inputs: root / inputs for inputs in ("embedded", "shared")}


@pytest.fixture
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of at most ten samples."""
    monkeypatch.setattr(row_groups, "FILE_SAMPLES", 10)


def exported(
    corpus: Path, output: Path, options: ExportOptions = SMALL, **settings: Any
) -> ExportReport:
    return export_corpus(str(corpus), str(output), "bagel-edit", options=options, **settings)


def rows_of(output: Path, proxy: str) -> list[dict[str, Any]]:
    files = sorted((output / proxy).glob("*.parquet"))
    return [row for file in files for row in pq.read_table(file).to_pylist()]


def files_of(output: Path) -> dict[str, bytes]:
    return {str(path.relative_to(output)): path.read_bytes() for path in output.rglob("*.parquet")}


@pytest.mark.parametrize("inputs", ["embedded", "shared"])
def test_rows_hold_the_very_bytes_of_the_corpus_in_its_order(
    corpora: dict[str, Path], tmp_path: Path, inputs: str, small_files: None
) -> None:
    report = exported(corpora[inputs], tmp_path / "out")
    assert report.samples == COUNTS
    for proxy in ("panoptic", "edge", "denoise"):
        expected = samples_in(corpora["embedded"], proxy)
        rows = {row["key"]: row for row in rows_of(tmp_path / "out", proxy)}
        assert list(rows) == [
            sample.key for sample in open_corpus(str(corpora[inputs])).samples(proxy)
        ]
        assert set(rows) == set(expected)
        for key, parts in expected.items():
            target = parts.get("target.png", parts.get("target.jpg"))
            assert rows[key]["image_list"] == [parts["input.jpg"], target]
            assert rows[key]["instruction_list"] == [[parts["txt"].decode()]]
            assert rows[key]["proxy"] == proxy


def test_a_reversed_proxy_has_the_pictures_of_its_base_the_other_way_round(
    corpora: dict[str, Path], tmp_path: Path
) -> None:
    for inputs, corpus in corpora.items():
        exported(corpus, tmp_path / inputs, proxies=["draw"])
        base = samples_in(corpora["embedded"], "panoptic")
        for row in rows_of(tmp_path / inputs, "draw"):
            parts = base[row["key"]]
            assert row["image_list"] == [parts["target.png"], parts["input.jpg"]]


def test_a_row_decodes_without_the_corpus(corpora: dict[str, Path], tmp_path: Path) -> None:
    exported(corpora["shared"], tmp_path / "out", proxies=["panoptic"])
    samples = {sample.key: sample for sample in open_corpus(corpora["shared"]).samples("panoptic")}
    for row in rows_of(tmp_path / "out", "panoptic"):
        sample = samples[row["key"]]
        decoded = decode(row["image_list"][1], json.loads(row["facts"]))
        expected = decode(sample.target, sample.facts)
        assert np.array_equal(decoded.labels, expected.labels)


def dealt(output: Path, ranks: int, workers: int, seed: int) -> list[list[tuple[str, str]]]:
    """What each worker gets by the rule of BAGEL's loaders: all row groups that parquet_info.json
    names, shuffled by a seed, in equal shares; what is left over, nobody gets."""
    info = json.loads((output / "parquet_info.json").read_text())
    groups = [(path, number) for path in info for number in range(info[path]["num_row_groups"])]
    groups.sort()
    random.Random(seed).shuffle(groups)
    per_rank = len(groups) // ranks
    per_worker = per_rank // workers
    shares = []
    for rank, worker in itertools.product(range(ranks), range(workers)):
        of_rank = groups[rank * per_rank : (rank + 1) * per_rank]
        rows = [
            row
            for path, number in of_rank[worker * per_worker : (worker + 1) * per_worker]
            for row in pq.ParquetFile(path).read_row_group(number, ["proxy", "key"]).to_pylist()
        ]
        shares.append([(row["proxy"], row["key"]) for row in rows])
    return shares


@pytest.mark.parametrize(("ranks", "workers"), [(1, 1), (2, 2), (3, 4), (12, 1)])
def test_every_sample_goes_to_one_worker_and_no_worker_goes_without(
    corpora: dict[str, Path], tmp_path: Path, ranks: int, workers: int, small_files: None
) -> None:
    options = ExportOptions(ranks=ranks, workers=workers)
    report = exported(corpora["shared"], tmp_path / "out", options)
    assert not [note for note in report.notes if "fewer" in note]
    shares = dealt(tmp_path / "out", ranks, workers, seed=42)
    assert all(shares)
    given_out = [name for share in shares for name in share]
    assert len(given_out) == len(set(given_out)) == sum(COUNTS.values())


def test_too_few_samples_are_said_with_their_numbers(
    corpora: dict[str, Path], tmp_path: Path
) -> None:
    report = exported(corpora["shared"], tmp_path / "out", ExportOptions(ranks=5, workers=4))
    notes = [note for note in report.notes if "fewer" in note]
    assert [note.partition(":")[0] for note in notes] == [
        f"{proxy} has 12 samples, fewer than 5 ranks x 4 workers = 20"
        for proxy in ("panoptic", "draw")
    ]
    defaults = exported(corpora["shared"], tmp_path / "defaults", ExportOptions())
    assert any("edge has 24 samples, fewer than 8 ranks x 4 workers = 32" in note
               for note in defaults.notes)  # fmt: skip
    assert {len(rows_of(tmp_path / "defaults", proxy)) for proxy in COUNTS} == {12, 24}


@given(
    st.lists(st.integers(1, 40 << 20), max_size=300),
    st.integers(1, 40),
)
def test_row_groups_are_equal_many_and_bounded(sizes: list[int], slots: int) -> None:
    counts = np.array(sizes, np.int64)
    groups = group_samples(counts, slots)
    assert groups.sum() == len(sizes)
    if not sizes:
        return
    assert groups.min() >= 1
    assert groups.max() - groups.min() <= 1
    assert groups.max() <= row_groups.GROUP_SAMPLES
    if len(sizes) >= slots:
        assert len(groups) % slots == 0
    files = planned_files(counts, slots)
    assert [count for file in files for count in file.groups] == groups.tolist()
    assert [file.start for file in files] == [
        0, *np.cumsum([file.samples for file in files])[:-1].tolist(),
    ]  # fmt: skip
    for file in files:
        nbytes = sum(sizes[file.start : file.start + file.samples])
        assert file.samples <= row_groups.FILE_SAMPLES
        assert nbytes <= row_groups.FILE_BYTES or len(file.groups) == 1


def test_large_samples_make_small_row_groups() -> None:
    groups = group_samples(np.full(1000, 4 << 20, np.int64), 8)
    assert groups.max() * (4 << 20) <= row_groups.GROUP_BYTES
    assert len(groups) % 8 == 0


@pytest.mark.parametrize("inputs", ["embedded", "shared"])
def test_the_plan_knows_the_true_sizes(corpora: dict[str, Path], inputs: str) -> None:
    corpus = open_corpus(corpora[inputs])
    for proxy in COUNTS:
        expected = [
            len(sample.input) + len(sample.target) + len(sample.instruction.encode())
            + len(sample.facts_json)
            for sample in corpus.samples(proxy)
        ]  # fmt: skip
        assert sizes_of_proxy(corpus, proxy).tolist() == expected


def test_pictures_are_stored_as_they_are_and_bytes_repeat(
    corpora: dict[str, Path], tmp_path: Path
) -> None:
    for name in "ab":
        exported(corpora["shared"], tmp_path / name)
    assert files_of(tmp_path / "a") == files_of(tmp_path / "b")
    for path in (tmp_path / "a").rglob("*.parquet"):
        data = path.read_bytes()
        table = pq.read_table(path)
        assert table.schema.names == ["image_list", "instruction_list", "key", "proxy", "facts"]
        assert table.schema.field("image_list").type == pa.list_(pa.binary())
        assert table.schema.field("instruction_list").type == pa.list_(pa.list_(pa.string()))
        assert all(picture in data for row in table["image_list"].to_pylist() for picture in row)
        column = pq.read_metadata(path).row_group(0).column(0)
        assert column.compression == "UNCOMPRESSED"
        assert not column.is_stats_set


def test_a_second_export_changes_nothing(
    corpora: dict[str, Path], tmp_path: Path, small_files: None
) -> None:
    first = exported(corpora["shared"], tmp_path / "out")
    times = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")}
    assert first.written == len(times) > len(COUNTS)
    assert first.nbytes == sum(path.stat().st_size for path in times)
    again = exported(corpora["shared"], tmp_path / "out")
    assert (again.written, again.kept, again.nbytes) == (0, first.written, 0)
    assert again.samples == COUNTS
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")} == times


def test_a_stopped_export_goes_on_to_the_same_bytes(
    corpora: dict[str, Path], tmp_path: Path, small_files: None
) -> None:
    whole, stopped = tmp_path / "a", tmp_path / "b"
    exported(corpora["shared"], whole)

    def stop(progress: Progress) -> None:
        if progress.done > 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        exported(corpora["shared"], stopped, progress=stop)
    assert not (stopped / "bagel-edit.yaml").exists()
    left = sorted(stopped.rglob("*.parquet"))
    assert 0 < len(left) < len(files_of(whole))
    left[0].write_bytes(left[0].read_bytes()[:-20])  # what a crash of the machine may leave
    left[1].write_bytes(b"")
    report = exported(corpora["shared"], stopped)
    assert report.kept == len(left) - 2
    assert files_of(stopped) == files_of(whole)


def test_an_export_for_other_ranks_is_another_export(
    corpora: dict[str, Path], tmp_path: Path
) -> None:
    exported(corpora["shared"], tmp_path / "out")
    with pytest.raises(RequestError, match="ranks"):
        exported(corpora["shared"], tmp_path / "out", ExportOptions(ranks=4, workers=2))


def test_a_damaged_sample_leaves_no_file(
    corpora: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []
    table = edit_parquet.EditWriter.write

    def damaged(self: Any, samples: Any) -> None:
        if written:
            raise CorpusError("a sample of the second row group")
        written.append(len(samples))
        table(self, samples)

    monkeypatch.setattr(edit_parquet.EditWriter, "write", damaged)
    with pytest.raises(CorpusError, match="second row group"):
        exported(corpora["shared"], tmp_path / "out")
    assert not files_of(tmp_path / "out")
    assert not list(tmp_path.rglob("*.sgt-tmp-*"))


def test_pictures_beyond_what_a_row_group_holds_are_refused(
    corpora: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edit_parquet, "ROW_GROUP_BYTES_MAX", 10_000)
    with pytest.raises(CorpusError, match="holds at most 10,000; build with a smaller max_side"):
        exported(corpora["shared"], tmp_path / "out")
    assert not files_of(tmp_path / "out")


def test_configurations_name_what_the_trainers_look_up(
    corpora: dict[str, Path], tmp_path: Path, small_files: None
) -> None:
    output = tmp_path / "out"
    exported(corpora["shared"], output)
    entries = json.loads((output / "dataset_info.json").read_text())["unified_edit"]
    group = yaml.safe_load((output / "bagel-edit.yaml").read_text())["unified_edit"]
    assert group["dataset_names"] == list(entries) == [f"sgt_{proxy}" for proxy in COUNTS]
    listed = {}
    for (name, entry), used in zip(entries.items(), group["num_used_data"], strict=True):
        folder = Path(entry["data_dir"])
        files = {str(path) for path in folder.iterdir() if path.suffix == ".parquet"}
        assert used == entry["num_files"] == len(files)
        assert entry["num_total_samples"] == COUNTS[name.removeprefix("sgt_")]
        info = json.loads(Path(entry["parquet_info_path"]).read_text())
        listed |= info
        assert files <= set(info)
    for path, numbers in listed.items():
        metadata = pq.read_metadata(path)
        assert numbers == {
            "num_row_groups": metadata.num_row_groups, "num_rows": metadata.num_rows,
        }  # fmt: skip
    assert set(listed) == {str(output / name) for name in files_of(output)}


def test_questions_make_a_second_mandatory_group_and_one_line_registers_both(
    corpora: dict[str, Path], tmp_path: Path
) -> None:
    """BAGEL's own training stops at a sequence without an answer, so both are mandatory."""
    asked, output = tmp_path / "questions", tmp_path / "out"
    write_questions(str(corpora["shared"]), str(asked))
    options = ExportOptions(ranks=2, workers=2, questions=str(asked))
    report = exported(corpora["shared"], output, options)
    assert not any("stops at the first sequence" in note for note in report.notes)
    text = (output / "bagel-edit.yaml").read_text()
    groups = yaml.safe_load(text)
    assert [(name, group["is_mandatory"], group["weight"]) for name, group in groups.items()] == [
        ("unified_edit", True, 1.0), ("vlm_sft", True, 0.5),
    ]  # fmt: skip
    (line,) = (line for line in text.splitlines() if "DATASET_INFO" in line)
    info: dict[str, Any] = {"unified_edit": {"its own": {}}, "vlm_sft": {"its own": {}}}
    exec(line.removeprefix("#").strip(), {"DATASET_INFO": info})  # our command wrote it
    assert all("its own" in sets for sets in info.values())
    assert info["unified_edit"]["sgt_edge"]["data_dir"] == f"{output}/edge"
    entry = info["vlm_sft"]["sgt_questions"]
    lines = Path(entry["jsonl_path"]).read_text().splitlines()
    assert groups["vlm_sft"]["num_used_data"] == [entry["num_total_samples"]] == [len(lines)]
    assert all(Path(entry["data_dir"], json.loads(row)["image"]).is_file() for row in lines)
    starved = exported(
        corpora["shared"], tmp_path / "many", ExportOptions(ranks=99, questions=str(asked))
    )
    assert any("vlm_sft" in note and "wait for ever" in note for note in starved.notes)
    with pytest.raises(RequestError, match="export to a local folder"):
        export_corpus(str(corpora["shared"]), "memory://asked", "bagel-edit", options=options)


def test_without_questions_it_says_that_bagel_stops(
    corpora: dict[str, Path], tmp_path: Path
) -> None:
    report = exported(corpora["shared"], tmp_path / "out", proxies=["edge"])
    assert any("--questions DIR" in note for note in report.notes)
    assert "--questions DIR" in (tmp_path / "out/bagel-edit.yaml").read_text()


def test_paths_are_relative_to_a_folder_on_demand(corpora: dict[str, Path], tmp_path: Path) -> None:
    options = ExportOptions(ranks=1, workers=1, relative_to=str(tmp_path))
    exported(corpora["shared"], tmp_path / "out", options, proxies=["edge"])
    info = json.loads((tmp_path / "out/parquet_info.json").read_text())
    assert list(info) == ["out/edge/00000.parquet"]
    entries = json.loads((tmp_path / "out/dataset_info.json").read_text())["unified_edit"]
    assert entries["sgt_edge"]["data_dir"] == "out/edge"
    assert entries["sgt_edge"]["parquet_info_path"] == "out/parquet_info.json"


def test_an_object_store_gets_the_same_files_with_paths_of_a_download(
    corpora: dict[str, Path], tmp_path: Path, small_files: None
) -> None:
    exported(corpora["shared"], tmp_path / "out")
    expected = files_of(tmp_path / "out")
    with s3_in_use():
        for root in (f"{new_bucket()}/export", "memory://bagel-edit"):
            report = export_corpus(str(corpora["shared"]), root, "bagel-edit", options=SMALL)
            assert any("download the export" in note for note in report.notes)
            mapper = fsspec.get_mapper(root)
            assert {name: data for name, data in mapper.items()
                    if name.endswith(".parquet")} == expected  # fmt: skip
            info = json.loads(mapper["parquet_info.json"])
            assert set(info) == set(expected)
            again = export_corpus(str(corpora["shared"]), root, "bagel-edit", options=SMALL)
            assert (again.written, again.kept) == (0, len(expected))


def test_pictures_that_bagel_resizes_are_said(corpora: dict[str, Path], tmp_path: Path) -> None:
    report = exported(corpora["shared"], tmp_path / "out")
    assert any("blends the colours" in note for note in report.notes)


def test_a_subset_is_exported_alone(corpora: dict[str, Path], tmp_path: Path) -> None:
    subset(corpora["shared"], 0.5, file=tmp_path / "half.subset.parquet")
    report = exported(tmp_path / "half.subset.parquet", tmp_path / "out")
    opened = open_corpus(tmp_path / "half.subset.parquet")
    for proxy in COUNTS:
        keys = [row["key"] for row in rows_of(tmp_path / "out", proxy)]
        assert keys == [sample.key for sample in opened.samples(proxy)]
        assert len(keys) == report.samples[proxy] < COUNTS[proxy]
