"""Nested subsets, as files: the same keys however a corpus was built, and wherever it is read."""

from __future__ import annotations

import shutil
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import built, sa1b_members, tar_of
from scaling import PROXIES, build_scaling, keys_by_proxy, keys_of, request, write_sources

from sgt_data import (
    Corpus,
    Stream,
    SubsetRule,
    open_corpus,
    subset,
    verify_corpus,
)
from sgt_data.errors import CorpusError, CorpusMismatch, RequestError
from sgt_data.exports.export import export_corpus
from sgt_data.stream.options import Reading
from sgt_data.subsets.ranked_keys import RankedKeys, rank_keys
from sgt_data.subsets.ranking import count_of
from sgt_data.subsets.strata import StrataRule

RULES = {
    "source": SubsetRule(),
    "segments": SubsetRule(strata="segments"),
    "category": SubsetRule(strata="category", described_by="panoptic"),
    "where": SubsetRule(where="segments % 2 = 0"),
}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sources(tmp_path_factory.mktemp("scaling") / "sources")


@pytest.fixture(scope="module")
def corpus(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    return build_scaling(sources, tmp_path_factory.mktemp("scaling") / "corpus")


@pytest.fixture(scope="module")
def shared(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    return build_scaling(sources, tmp_path_factory.mktemp("scaling") / "shared", inputs="shared")


@pytest.fixture(scope="module")
def orders(corpus: str) -> dict[str, RankedKeys]:
    return {name: rank_keys(open_corpus(corpus), rule) for name, rule in RULES.items()}


def subset_file(corpus: str, folder: Path, fraction: float = 0.25, **terms: Any) -> str:
    return subset(corpus, fraction, file=f"{folder}/some.subset.parquet", **request(**terms)).place


@settings(deadline=None, max_examples=40)
@given(name=st.sampled_from(list(RULES)), sizes=st.tuples(st.floats(0.02, 1), st.floats(0.02, 1)))
def test_of_any_two_subsets_one_lies_in_the_other(
    orders: dict[str, RankedKeys], name: str, sizes: tuple[float, float]
) -> None:
    order = orders[name]
    small, large = (order.first(max(1, count_of(size, order.count))) for size in sorted(sizes))
    for proxy, keys in keys_by_proxy(small).items():
        assert keys <= keys_by_proxy(large)[proxy]


@settings(deadline=None, max_examples=20)
@given(fraction=st.floats(0.02, 1))
def test_counts_are_exact_and_the_same_pictures_are_in_every_proxy(
    orders: dict[str, RankedKeys], corpus: str, fraction: float
) -> None:
    whole = keys_by_proxy(open_corpus(corpus))
    count = max(1, count_of(fraction, len(whole["entity"])))
    keys = keys_by_proxy(orders["source"].first(count))
    assert len(keys["entity"]) == count
    everything = set.union(*keys.values())
    for proxy, held in keys.items():
        assert held == everything & whole[proxy]  # what it lacks is not in the corpus either


def test_the_whole_is_the_corpus(corpus: str, tmp_path: Path) -> None:
    """Also what the first proxy filtered out and others have."""
    everything, whole = open_corpus(subset_file(corpus, tmp_path, 1)), open_corpus(corpus)
    assert keys_by_proxy(everything) == keys_by_proxy(whole)
    assert len(keys_by_proxy(everything)["denoise"]) > len(keys_by_proxy(everything)["entity"])
    assert everything.header.totals["denoise"] == whole.header.totals["denoise"]


def test_what_only_a_later_proxy_has_is_thinned_alike(
    orders: dict[str, RankedKeys], corpus: str
) -> None:
    whole = keys_by_proxy(open_corpus(corpus))
    others = whole["denoise"] - whole["entity"]
    assert len(others) == 26
    counts = []
    for count in range(1, len(whole["entity"]) + 1):
        keys = keys_by_proxy(orders["source"].first(count))
        counts.append(len(keys["denoise"] & others))
    assert counts == sorted(counts)
    assert counts[-1] == 26
    assert 6 <= counts[22] <= 20


@pytest.mark.parametrize("strata", ["source", "segments"])
def test_every_stratum_has_its_share_within_one(corpus: str, strata: StrataRule) -> None:
    """Counted with no code of the ranking: from the rows of the index."""
    opened = open_corpus(corpus)
    stratum = {}
    for shard in opened.shards("entity"):
        for row in opened.index("entity", shard).to_pylist():
            finer = row["segments"].bit_length() if strata == "segments" else 0
            stratum[row["key"]] = (row["source"], finer)
    sizes = Counter(stratum.values())
    order = rank_keys(opened, SubsetRule(strata=strata))
    for count in range(1, len(stratum) + 1):
        held = Counter(stratum[key] for key in keys_by_proxy(order.first(count))["entity"])
        for name, size in sizes.items():
            assert abs(held[name] - count * size / len(stratum)) < 1


@pytest.mark.parametrize("shard_samples", [2, 50])
def test_shard_size_does_not_matter(
    shard_samples: int, sources: Path, corpus: str, tmp_path: Path
) -> None:
    other = build_scaling(sources, tmp_path / "other", shard_samples)
    for rule in RULES.values():
        ours, others = (rank_keys(open_corpus(url), rule) for url in (corpus, other))
        for count in (1, 9, 20, ours.count):
            assert keys_by_proxy(ours.first(count)) == keys_by_proxy(others.first(count))


def test_neither_does_the_order_of_building(
    sources: Path, corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sgt_data.engine import build as builder

    in_order = builder.pending_tasks
    monkeypatch.setattr(builder, "pending_tasks", lambda *given: in_order(*given)[::-1])
    other = build_scaling(sources, tmp_path / "other")
    ours, others = (rank_keys(open_corpus(url), SubsetRule()).first(15) for url in (corpus, other))
    assert keys_by_proxy(ours) == keys_by_proxy(others)


@pytest.mark.parametrize("first", [False, True])
def test_a_proxy_added_later_changes_no_subset(first: bool, sources: Path, tmp_path: Path) -> None:
    """Wherever the manifest lists it; and a subset file from before has its samples too."""
    root = tmp_path / "corpus"
    url = build_scaling(sources, root, proxies=list(PROXIES[:2]))
    before = {count: keys_by_proxy(rank_keys(open_corpus(url), SubsetRule()).first(count))
              for count in (4, 20, 40)}  # fmt: skip
    file = subset_file(url, tmp_path, 0.5)
    added = {"type": "deblur"}
    proxies = [added, *PROXIES[:2]] if first else [*PROXIES[:2], added]
    build_scaling(sources, root, proxies=proxies)
    for count, keys in before.items():
        now = keys_by_proxy(rank_keys(open_corpus(url), SubsetRule()).first(count))
        assert {proxy: now[proxy] for proxy in keys} == keys
        assert now["deblur"] >= now["entity"]
    opened = open_corpus(file)
    assert set(keys_of(opened, "deblur")) >= set(keys_of(opened, "entity"))
    assert opened.header.totals["deblur"]["samples"] == len(keys_of(opened, "deblur"))


def test_the_seed_is_the_manifests_and_matters(corpus: str) -> None:
    opened = open_corpus(corpus)
    ours, same, other = (
        rank_keys(opened, SubsetRule(seed=seed)).first(10) for seed in (None, 11, 12)
    )
    assert keys_by_proxy(ours) == keys_by_proxy(same) != keys_by_proxy(other)
    assert ours.header.identity["subset"]["seed"] == 11


def test_a_subset_of_a_subset_is_one_of_the_corpus(corpus: str, tmp_path: Path) -> None:
    for name, rule in RULES.items():
        whole = rank_keys(open_corpus(corpus), rule)
        file = subset(corpus, samples=20, rule=rule, file=f"{tmp_path}/{name}.subset.parquet").place
        again = rank_keys(open_corpus(file), SubsetRule(None, rule.strata, None, rule.described_by))
        for count in (1, 7, 20):
            assert keys_by_proxy(again.first(count)) == keys_by_proxy(whole.first(count))


def test_a_subset_file_is_small_and_always_the_same(corpus: str, tmp_path: Path) -> None:
    first = Path(subset_file(corpus, tmp_path, 1)).read_bytes()
    again = Path(subset_file(corpus, tmp_path, 1)).read_bytes()
    assert first == again
    assert len(first) < 7000


def test_a_thousand_samples_take_a_few_kilobytes(corpus: str) -> None:
    import numpy as np
    import pyarrow as pa

    from sgt_data.corpus.key_selection import Selection
    from sgt_data.subsets.subset_file import encode_subset

    header = rank_keys(open_corpus(corpus), SubsetRule()).first(3).header
    chance = np.random.default_rng(0)
    ids = np.sort(chance.choice(11_000_000, 20_000, replace=False))
    held = {proxy: pa.array(np.ones(20_000, bool)) for proxy in ("entity", "panoptic", "denoise")}
    spans = {f"sa1b-sa_{shard:06d}-00000": (20 * shard, 20 * shard + 20) for shard in range(1000)}
    selection = Selection(pa.array([f"sa1b_sa_{number}" for number in ids]), spans, held)
    nbytes = len(encode_subset(header, selection, "/a/b.subset.parquet"))
    assert nbytes < 20 * 5000


def test_opening_a_subset_reads_no_index(
    corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = subset_file(corpus, tmp_path)
    monkeypatch.setattr(Corpus, "stored_index", lambda *_: pytest.fail("an index was read"))
    opened = open_corpus(file)
    for proxy in opened.proxies:
        assert sum(opened.samples_per_shard(proxy)) == opened.header.totals[proxy]["samples"]


@pytest.mark.parametrize("form", ["corpus", "shared"])
def test_what_is_counted_is_what_is_seen(
    form: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    opened = open_corpus(subset_file(request.getfixturevalue(form), tmp_path, 0.4))
    for folder in opened.folders:
        tables = [opened.index(folder, shard) for shard in opened.shards(folder)]
        assert [len(table) for table in tables] == list(opened.samples_per_shard(folder))
        totals = opened.header.totals[folder]
        assert totals["samples"] == sum(map(len, tables))
        assert totals["segments"] == sum(sum(table["segments"].to_pylist()) for table in tables)
        assert totals["inputs"] == totals["samples"] + totals["damaged"] + totals["filtered"]
    for proxy, keys in keys_by_proxy(opened).items():
        assert keys == set(keys_of(opened, proxy))
    assert opened.header.totals["entity"]["filtered"] > 0


@pytest.mark.parametrize("form", ["corpus", "shared"])
@pytest.mark.parametrize("fraction", [0.1, 0.25, 1])
def test_a_streams_fraction_is_the_commands(
    form: str, fraction: float, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    corpus = request.getfixturevalue(form)
    file = open_corpus(subset_file(corpus, tmp_path, fraction))
    stream = Stream(
        {corpus: ["denoise", "panoptic"]}, batch_size=1, reading=Reading(fraction=fraction)
    )
    seen: dict[str, set[str]] = {"denoise": set(), "panoptic": set()}
    for batch in stream:
        for sample in batch["samples"]:
            seen[sample.proxy].add(sample.key)
    assert seen == {proxy: set(keys_of(file, proxy)) for proxy in seen}


@pytest.mark.parametrize("form", ["corpus", "shared"])
def test_the_stream_takes_a_subset_file(
    form: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    corpus = request.getfixturevalue(form)
    file = subset_file(corpus, tmp_path)
    stored = {sample.key: sample for sample in open_corpus(corpus).samples("panoptic")}
    seen = [
        sample
        for batch in Stream({file: ["panoptic"]}, batch_size=1)
        for sample in batch["samples"]
    ]
    assert {sample.key for sample in seen} == set(keys_of(open_corpus(file), "panoptic"))
    for sample in seen:
        assert sample.input == stored[sample.key].input
        assert sample.target == stored[sample.key].target


def test_a_state_of_another_fraction_is_refused(corpus: str) -> None:
    first, second = (
        Stream({corpus: ["denoise"]}, batch_size=2, reading=Reading(fraction=fraction))
        for fraction in (0.5, 0.51)
    )
    with pytest.raises(RequestError, match=r"fraction is 0\.5 there, 0\.51 here"):
        second.load_state_dict(first.state_dict())


def test_samples_previews_and_exports_are_those_of_the_subset(corpus: str, tmp_path: Path) -> None:
    from sgt_data.preview.contact_sheet import contact_sheet

    opened = open_corpus(subset_file(corpus, tmp_path))
    expected = keys_of(opened, "panoptic")
    assert [sample.key for sample in opened.samples("panoptic")] == expected
    assert contact_sheet(opened, 1).height > 100
    report = export_corpus(f"{tmp_path}/some.subset.parquet", f"{tmp_path}/out", "bagel")
    assert report.samples["panoptic"] == len(expected)
    lines = Path(f"{tmp_path}/out/panoptic.txt").read_text().splitlines()
    assert [Path(line).stem for line in lines] == expected


def test_an_export_of_the_corpus_is_not_mixed_with_one_of_a_subset(
    corpus: str, tmp_path: Path
) -> None:
    export_corpus(corpus, f"{tmp_path}/out", "bagel", ["panoptic"])
    with pytest.raises(RequestError, match=r"panoptic is of another build there .* another subset"):
        export_corpus(subset_file(corpus, tmp_path), f"{tmp_path}/out", "bagel", ["panoptic"])


def test_corpus_and_file_may_move_together(corpus: str, tmp_path: Path) -> None:
    shutil.copytree(corpus, tmp_path / "here" / "corpus")
    subset_file(f"{tmp_path}/here/corpus", tmp_path / "here")
    (tmp_path / "here").rename(tmp_path / "there")
    opened = open_corpus(f"{tmp_path}/there/some.subset.parquet")
    assert opened.url == f"{tmp_path}/there/corpus"
    assert len(list(opened.samples("entity"))) == opened.header.totals["entity"]["samples"]


def test_the_file_may_move_alone(corpus: str, tmp_path: Path) -> None:
    assert open_corpus(subset_file(corpus, tmp_path)).url == corpus  # from beside it
    (tmp_path / "a" / "b").mkdir(parents=True)
    moved = shutil.move(subset_file(corpus, tmp_path), tmp_path / "a" / "b")
    assert open_corpus(str(moved)).url == corpus


def test_a_corpus_that_is_gone_is_named(corpus: str, tmp_path: Path) -> None:
    shutil.copytree(corpus, tmp_path / "copy")
    file = subset_file(f"{tmp_path}/copy", tmp_path)
    shutil.rmtree(tmp_path / "copy")
    with pytest.raises(RequestError, match=f"neither at {tmp_path}/copy"):
        open_corpus(file)


def test_a_corpus_built_anew_otherwise_is_refused_and_the_difference_named(
    sources: Path, tmp_path: Path
) -> None:
    file = subset_file(build_scaling(sources, tmp_path / "corpus"), tmp_path)
    shutil.rmtree(tmp_path / "corpus")
    build_scaling(sources, tmp_path / "corpus", 8)
    with pytest.raises(CorpusMismatch, match="shard_samples: in the corpus 7, now 8"):
        open_corpus(file)
    shutil.rmtree(tmp_path / "corpus")
    build_scaling(sources, tmp_path / "corpus")
    assert open_corpus(file).header.complete


def test_an_index_that_lost_rows_is_noticed(corpus: str, tmp_path: Path) -> None:
    """The file promises keys that the index has no more."""
    shutil.copytree(corpus, tmp_path / "corpus")
    file = subset_file(f"{tmp_path}/corpus", tmp_path, 1)
    index = next((tmp_path / "corpus" / "index" / "denoise").glob("*.parquet"))
    table = pq.read_table(index)
    pq.write_table(table.slice(1), index)
    with pytest.raises(CorpusError, match=index.stem):
        list(open_corpus(file).samples("denoise"))


def test_verify_compares_a_subset_with_its_corpus(corpus: str, tmp_path: Path) -> None:
    shutil.copytree(corpus, tmp_path / "corpus")
    file = subset_file(f"{tmp_path}/corpus", tmp_path, 0.5)
    verdict = verify_corpus(file)
    totals = open_corpus(file).header.totals
    assert verdict.sound
    assert verdict.samples == sum(by_proxy["samples"] for by_proxy in totals.values())
    shard = open_corpus(file).shards("denoise")[0]
    (tmp_path / "corpus" / "index" / "denoise" / f"{shard}.parquet").unlink()
    (finding,) = verify_corpus(file).findings
    assert finding.place == f"denoise/{shard}"
    with pytest.raises(RequestError, match="no tars of its own"):
        verify_corpus(file, deep=True)


def test_one_subset_does_not_replace_another(corpus: str, tmp_path: Path) -> None:
    file = subset_file(corpus, tmp_path)
    with pytest.raises(CorpusMismatch, match=r"samples: in the corpus 12, now 23"):
        subset(corpus, 0.5, file=file)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:100],
        lambda data: b"",
        lambda data: data.replace(b"sgt_data subset", b"sgt_data subs.t"),
    ],
)
def test_a_damaged_file_is_an_error_of_its_own(corpus: str, tmp_path: Path, damage: Any) -> None:
    file = Path(subset_file(corpus, tmp_path))
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(CorpusError, match=r"some\.subset\.parquet"):
        open_corpus(str(file))


def test_keys_that_were_changed_are_noticed(corpus: str, tmp_path: Path) -> None:
    file = Path(subset_file(corpus, tmp_path, 1))
    parquet = pq.ParquetFile(file)
    document = parquet.metadata.metadata[b"sgt_data subset"]
    table = parquet.read().slice(1)
    with pq.ParquetWriter(file, table.schema) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({"sgt_data subset": document})
    with pytest.raises(CorpusError, match="its keys are not those that it was written with"):
        open_corpus(str(file))


def test_a_shard_without_samples_moves_no_other_shards_keys(tmp_path: Path) -> None:
    """All inputs of the second of three shards are damaged."""
    members = sa1b_members(6)
    damaged = [(name, b"no picture") if name in ("sa_3.jpg", "sa_4.jpg") else (name, body)
               for name, body in members]  # fmt: skip
    (tmp_path / "sa_0.tar").write_bytes(tar_of(damaged))
    source = {"type": "sa1b", "tars": f"{tmp_path}/sa_0.tar"}
    assert built(tmp_path / "corpus", source, shard_samples=2).complete
    whole = open_corpus(f"{tmp_path}/corpus")
    assert whole.samples_per_shard("entity") == (2, 0, 2)
    file = subset(whole.url, 1.0, file=f"{tmp_path}/all.subset.parquet").place
    opened = open_corpus(file)
    assert keys_of(opened, "entity") == keys_of(whole, "entity")
    assert verify_corpus(file).sound
    assert subset(file, output=f"{tmp_path}/copy").complete
    assert verify_corpus(f"{tmp_path}/copy", deep=True).sound


def test_what_is_recorded_says_how_it_was_chosen(corpus: str, tmp_path: Path) -> None:
    where = "segments >= 8"
    file = subset_file(corpus, tmp_path, 0.5, where=where, strata="segments")
    metadata = pq.ParquetFile(file).metadata.metadata
    document = orjson.loads(metadata[b"sgt_data subset"])
    assert document["rule"]["where"] == where
    assert document["rule"]["strata"] == "segments"
    assert document["rule"]["samples"] == count_of(0.5, document["rule"]["from"])
    assert document["parent"]["url"] == corpus
    assert document["parent"]["fingerprints"] == open_corpus(corpus).header.fingerprints


def test_a_ladder_is_nested_and_its_steps_are_the_single_subsets(
    corpus: str, tmp_path: Path
) -> None:
    steps = subset(corpus, [0.1, 0.5, 1], file=f"{tmp_path}/{{}}.subset.parquet")
    keys = [keys_by_proxy(open_corpus(step.place)) for step in steps]
    assert [Path(step.place).name for step in steps] == [
        "0.1.subset.parquet", "0.5.subset.parquet", "1.subset.parquet",
    ]  # fmt: skip
    for small, large in pairwise(keys):
        assert all(small[proxy] <= large[proxy] for proxy in small)
    assert keys[1] == keys_by_proxy(open_corpus(subset_file(corpus, tmp_path, 0.5)))


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({}, "needs a fraction"),
        ({"fraction": 0.0}, "above 0"),
        ({"fraction": 0.5, "samples": 3}, "not both"),
        ({"samples": 47}, "allowed: 1 to 46"),
        ({"samples": 0}, "allowed: 1 to 46"),
        ({"fraction": 0.001}, "of 46 samples it is none"),
        ({"fraction": 0.5, "strata": "colour"}, "allowed: source, segments, category"),
        ({"fraction": 0.5, "seed": -1}, "seed: found -1"),
        ({"fraction": 0.5, "described_by": "depth"}, "give strata segments or category"),
        (
            {"fraction": 0.5, "strata": "segments", "described_by": "depth"},
            "it has entity, panoptic, denoise",
        ),
        ({"fraction": 0.5, "file": "a.parquet"}, r"must end in \.subset\.parquet"),
        ({"fraction": 0.5, "file": "a.subset.parquet", "output": "b"}, "not both"),
        ({"samples": 5, "whole_shards": True}, "whole shards: give a fraction"),
        ({"fraction": 0.5, "whole_shards": True, "where": "true"}, "no where"),
    ],
)
def test_a_wrong_request_is_refused(corpus: str, terms: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        subset(corpus, **request(**terms))
