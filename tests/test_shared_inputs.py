"""`inputs: shared`: pictures once, everything else as ever."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest
from corpora import both_sources_document, file_digests
from making import built, files_in, ledger_in, sa1b_members, tar_of

from sgt_data import (
    IN_PROCESS,
    build_corpus,
    open_corpus,
    verify_corpus,
)
from sgt_data.corpus.paths import INPUT
from sgt_data.errors import CorpusError, CorpusMismatch
from sgt_data.manifest.manifest import Manifest, parse_manifest


def five_proxies(sources: Path, inputs: str, proxies: int = 5) -> Manifest:
    document = both_sources_document(sources, shard_samples=4)
    document["sources"][1]["depth"] = f"{sources}/depth"
    document["proxies"] = [
        {"type": "segmentation", "variant": "panoptic", "sources": ["coco"]},
        {"type": "depth", "sources": ["coco"]},
        {"type": "edge"},
        {"type": "boxes"},
        {"type": "denoise"},
    ][:proxies]
    return parse_manifest(document | {"inputs": inputs})


@pytest.fixture(scope="module")
def corpora(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("inputs")
    for inputs in ("embedded", "shared"):
        manifest = five_proxies(sample_sources, inputs)
        assert build_corpus(manifest, str(root / inputs), cluster=IN_PROCESS).succeeded
    return {inputs: root / inputs for inputs in ("embedded", "shared")}


def test_both_forms_hold_the_same_samples(corpora: dict[str, Path]) -> None:
    embedded, shared = (open_corpus(str(path)) for path in corpora.values())
    assert shared.folders == (INPUT, *embedded.proxies)
    for proxy in embedded.proxies:
        pairs = zip(embedded.samples(proxy), shared.samples(proxy), strict=True)
        for one, other in pairs:
            assert (one.key, one.input, one.target, one.instruction, one.facts) == (
                other.key, other.input, other.target, other.instruction, other.facts,
            )  # fmt: skip


def test_both_forms_are_sound(corpora: dict[str, Path]) -> None:
    for path in corpora.values():
        verdict = verify_corpus(str(path), deep=True)
        assert verdict.sound, verdict.findings


def test_only_proxies_that_condition_on_the_clean_picture_go_without(
    corpora: dict[str, Path],
) -> None:
    corpus = open_corpus(str(corpora["shared"]))
    for proxy in corpus.proxies:
        for shard in corpus.shards(proxy):
            sizes = corpus.index(proxy, shard)["input_size"].to_pylist()
            assert all((size is not None) == (proxy == "denoise") for size in sizes)


def test_shared_pictures_save_bytes(corpora: dict[str, Path]) -> None:
    sizes = {
        inputs: sum(path.stat().st_size for path in root.rglob("*.tar"))
        for inputs, root in corpora.items()
    }
    pictures = sum(path.stat().st_size for path in (corpora["shared"] / INPUT).glob("*.tar"))
    assert sizes["shared"] < sizes["embedded"] - pictures


def test_a_proxy_added_later_leaves_the_shared_pictures_as_they_are(
    sample_sources: Path, corpora: dict[str, Path], tmp_path: Path
) -> None:
    before: dict[str, str] = {}
    for proxies in (2, 3, 5):
        build_corpus(
            five_proxies(sample_sources, "shared", proxies), str(tmp_path), cluster=IN_PROCESS
        )
        after = file_digests(tmp_path)
        assert before.items() <= after.items()
        before = after
    assert before == file_digests(corpora["shared"])
    assert verify_corpus(str(tmp_path), deep=True).sound


def test_the_two_forms_are_two_builds(sample_sources: Path, corpora: dict[str, Path]) -> None:
    with pytest.raises(CorpusMismatch, match="inputs"):
        build_corpus(
            five_proxies(sample_sources, "embedded"), str(corpora["shared"]), cluster=IN_PROCESS
        )


def test_a_picture_that_fails_for_one_proxy_stays_with_the_others(tmp_path: Path) -> None:
    """The rule: the ledger of that proxy names it; pictures and other proxies keep it."""
    members = sa1b_members(4)
    members[3] = (members[3][0], b"{}")  # the second pair's annotation
    members[4] = (members[4][0], b"no picture")  # the third pair's picture
    (tmp_path / "sa_000000.tar").write_bytes(tar_of(members))
    source = {"type": "sa1b", "tars": f"{tmp_path}/sa_000000.tar"}
    entity = {"type": "segmentation", "name": "entity", "variant": "entity"}
    report = built(
        tmp_path / "out", source, [entity, {"type": "edge"}], inputs="shared", max_quarantined=1
    )
    lost = {
        folder: [row["key"] for row in ledger_in(tmp_path / "out", folder)]
        for folder in (INPUT, "entity", "edge")
    }
    assert {folder: len(keys) for folder, keys in lost.items()} == {
        INPUT: 1, "entity": 2, "edge": 1,
    }  # fmt: skip
    assert set(lost[INPUT]) == set(lost["edge"]) < set(lost["entity"])
    assert report.totals[INPUT]["samples"] == 3
    assert verify_corpus(str(tmp_path / "out"), deep=True).sound


def damage_tar(root: Path) -> str:
    (next((root / INPUT).glob("*.tar"))).unlink()
    return "the tar is missing"


def damage_index(root: Path) -> str:
    """An input less than there are samples; receipt and index agree about it."""
    place = next((root / "index" / INPUT).glob("coco-*.parquet"))
    pq.write_table(pq.read_table(place).slice(1), place)
    return "no input for"


@pytest.mark.parametrize("damage", [damage_tar, damage_index])
def test_lost_pictures_are_found(sample_sources: Path, tmp_path: Path, damage: Any) -> None:
    build_corpus(five_proxies(sample_sources, "shared"), str(tmp_path), cluster=IN_PROCESS)
    message = damage(tmp_path)
    findings = [str(finding) for finding in verify_corpus(str(tmp_path)).findings]
    assert any(message in finding for finding in findings), findings
    corpus = open_corpus(str(tmp_path))
    with pytest.raises(CorpusError):
        for proxy in ("panoptic", "edge"):
            for _ in corpus.samples("segmentation" if proxy == "panoptic" else proxy):
                pass


def test_the_index_of_the_shared_pictures_says_what_they_are(corpora: dict[str, Path]) -> None:
    corpus = open_corpus(str(corpora["shared"]))
    for shard in corpus.shards(INPUT):
        for row in corpus.index(INPUT, shard).to_pylist():
            assert row["target_size"] is None and row["instruction_size"] is None
            assert row["input_size"] and row["source_sha256"] and row["width"]
    names = {name.rsplit(".", 2)[-1] for name in files_in(corpora["shared"])}
    assert names == {"tar", "parquet", "jsonl", "json", "md"}
    header = orjson.loads((corpora["shared"] / "corpus.json").read_bytes())
    assert set(header["totals"]) == {INPUT, *corpus.proxies}
