"""All proxies in one corpus: aligned, accounted for, decodable, the same bytes whoever draws."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
import yaml
from corpora import file_digests
from making import bomb_jpeg, sa1b_document, tar_of

from sgt_data import (
    IN_PROCESS,
    Cluster,
    build_corpus,
    decode,
    open_corpus,
    verify_corpus,
)
from sgt_data.manifest.manifest import Manifest, load_manifest, parse_manifest
from sgt_data.progress import Progress
from sgt_data.prompts.bank import placeholders
from sgt_data.proxies.registry import proxy_kinds

DEMO = Path(__file__).parent.parent / "manifests" / "demo.yaml"
PICTURES = 12
SPLIT = "train2017"


def demo_over(sources: Path, **more: Any) -> Manifest:
    """The demo's proxies on small pictures of the sample sources, and pairs: the pictures of COCO's
    form with the maps of its panoptic annotations, as targets that somebody else made."""
    document = yaml.safe_load(DEMO.read_text())
    first, second = document["sources"]
    drawn_for = {"sources": ["sa1b", "coco"]}
    document["proxies"] = [
        proxy if "sources" in proxy or "of" in proxy else {**proxy, **drawn_for}
        for proxy in document["proxies"]
    ]
    document["proxies"].append(
        {"type": "paired", "sources": ["pairs"], "instructions": "segmentation_panoptic"}
    )
    document["sources"].append(
        {
            "type": "pairs", "pictures": f"{sources}/coco/{SPLIT}",
            "targets": f"{sources}/coco/annotations/panoptic_{SPLIT}",
        }
    )  # fmt: skip
    first["tars"], second["root"] = f"{sources}/sa1b/sa_*.tar", f"{sources}/coco"
    for source in (first, second):
        source["depth"], source["normals"] = f"{sources}/depth", f"{sources}/normals"
        source["intrinsics"] = f"{sources}/intrinsics.json"
    document["pictures"] = {"min_side": 64, "max_side": 192, "multiple_of": 16}
    return parse_manifest(document | {"shard_samples": 5} | more)


@pytest.fixture(scope="module")
def corpus(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("every")
    assert build_corpus(demo_over(sample_sources), str(root), cluster=IN_PROCESS).succeeded
    return root


def test_the_demo_has_every_kind_of_proxy() -> None:
    """But `paired`, whose targets nobody draws; the tests of this file add pairs."""
    shown = {proxy.type for proxy in load_manifest("demo").proxies}
    assert shown == set(proxy_kinds()) - {"paired"}


def test_every_target_decodes_and_every_law_holds(corpus: Path) -> None:
    verdict = verify_corpus(str(corpus), deep=True)
    assert verdict.sound, verdict.findings
    opened = open_corpus(str(corpus))
    for proxy in opened.proxies:
        sample = next(opened.samples(proxy))
        decoded = decode(sample.target, sample.facts)
        size = sample.facts["size"]["height"], sample.facts["size"]["width"]
        for name in ("labels", "inverse_depth", "metres", "vectors"):
            decoded = getattr(decoded, name, decoded)
        assert np.asarray(decoded).shape[:2] == size
        assert sample.facts["tier"] in ("high", "mid", "low")


def test_all_proxies_hold_the_same_keys_in_the_same_order(corpus: Path) -> None:
    """Save those that the ledger names for a proxy."""
    opened = open_corpus(str(corpus))
    for shard in {shard for proxy in opened.proxies for shard in opened.shards(proxy)}:
        keys: dict[str, list[str]] = {}
        for proxy in opened.proxies:
            if shard not in opened.shards(proxy):
                continue
            ledger = (corpus / "quarantine" / proxy / f"{shard}.jsonl").read_bytes().splitlines()
            left_out = {orjson.loads(line)["key"] for line in ledger}
            held = opened.index(proxy, shard)["key"].to_pylist()
            assert held == sorted(held) and not left_out & set(held)
            keys[proxy] = sorted(left_out | set(held))
        assert len({tuple(keys_of_proxy) for keys_of_proxy in keys.values()}) == 1


def test_restoration_alone_conditions_on_another_picture(corpus: Path) -> None:
    opened = open_corpus(str(corpus))
    for source, reference in (("sa1b", "entity"), ("coco", "panoptic")):
        clean = {sample.key: sample.input for sample in opened.samples(reference)}
        for proxy in opened.proxies:
            kind = proxy_kinds()[next(opened.samples(proxy)).facts["type"]]
            for sample in opened.samples(proxy):
                if sample.key.startswith(source) and sample.key in clean:
                    assert (sample.input != clean[sample.key]) == kind.degrades
                    if kind.degrades:
                        assert sample.target == clean[sample.key]


def test_shards_are_identical_with_ray(sample_sources: Path, tmp_path: Path) -> None:
    manifest = demo_over(sample_sources, inputs="shared")
    reports: list[Progress] = []
    report = build_corpus(
        manifest, str(tmp_path / "ray"), cluster=Cluster(workers=2), progress=reports.append
    )
    assert report.succeeded
    assert {"starting Ray", "building"} <= {each.phase for each in reports}
    assert reports[-1].done == reports[-1].total == 3 * PICTURES
    build_corpus(manifest, str(tmp_path / "inline"), cluster=IN_PROCESS)
    assert file_digests(tmp_path / "ray") == file_digests(tmp_path / "inline")


def test_proxies_added_one_by_one_change_no_file(sample_sources: Path, corpus: Path) -> None:
    full = demo_over(sample_sources)
    output = corpus.parent / "grown"
    before: dict[str, str] = {}
    for count in (1, 5, 9, len(full.proxies)):
        build_corpus(
            full.model_copy(update={"proxies": full.proxies[:count]}),
            str(output),
            cluster=IN_PROCESS,
        )
        after = file_digests(output)
        assert before.items() <= after.items()
        before = after
    assert before == file_digests(corpus)


def hostile_tar(sources: Path) -> bytes:
    """The sample's pictures, most of them spoiled in one way or another."""
    rng = np.random.default_rng(0)
    tar = next((sources / "sa1b").glob("*.tar"))
    with tarfile.open(tar) as archive:
        members = [(member.name, archive.extractfile(member).read()) for member in archive]  # type: ignore[union-attr]
    spoiled: list[tuple[str, bytes]] = []
    for number, (name, data) in enumerate(members):
        if number == 0:
            data = data[: len(data) // 2]
        elif number == 2:
            data = bomb_jpeg(60_000, 60_000)
        elif number == 5:
            data = orjson.dumps(sa1b_document(3, [], 320, 240))
        elif number >= 6:
            wild = bytearray(data)
            for at in rng.integers(0, len(wild), 3).tolist():
                wild[at] = int(rng.integers(0, 256))
            data = bytes(wild)
        spoiled.append((name, data))
    return tar_of(spoiled)


def test_hostile_pictures_cost_themselves_alone_in_every_proxy(
    sample_sources: Path, tmp_path: Path
) -> None:
    """Under one ledger: what is no picture is lost to all, what fails for one is lost to it."""
    (tmp_path / "sa1b").mkdir()
    (tmp_path / "sa1b" / "sa_000000.tar").write_bytes(hostile_tar(sample_sources))
    for name in ("depth", "normals", "intrinsics.json"):
        (tmp_path / name).symlink_to(sample_sources / name)
    (tmp_path / "coco").symlink_to(sample_sources / "coco")
    manifest = demo_over(tmp_path, max_quarantined=1.0)
    output = tmp_path / "out"
    report = build_corpus(manifest, str(output), cluster=IN_PROCESS)
    assert report.complete
    for totals in report.totals.values():
        assert totals["inputs"] == totals["samples"] + totals["damaged"] + totals["filtered"]
    assert verify_corpus(str(output), deep=True).sound
    lost = {
        path.parent.name: [orjson.loads(line) for line in path.read_bytes().splitlines()]
        for path in (output / "quarantine").glob("*/sa1b-*-00000.jsonl")
    }
    first, *_ = manifest.typed_sources()
    drawn = {proxy.name for proxy in manifest.proxies if first in manifest.sources_of(proxy)}
    assert lost.keys() == drawn, "every proxy that is drawn for this source"
    for rows in lost.values():
        assert {"sa_1.jpg", "sa_2.jpg"} <= {row["member"] for row in rows}
        assert all(row["reason"] and row["key"] and row["source"] == "sa1b" for row in rows)
    assert "sa_3.jpg" in {row["member"] for row in lost["entity"]}
    assert "sa_3.jpg" not in {row["member"] for row in lost["canny"]}


def test_tars_of_every_proxy_are_plain_webdataset(corpus: Path) -> None:
    import webdataset as wds

    opened = open_corpus(str(corpus))
    for proxy in opened.proxies:
        tars = sorted(map(str, (corpus / proxy).glob("*.tar")))
        for sample in wds.WebDataset(tars, shardshuffle=False):
            extensions = {name for name in sample if not name.startswith("__")}
            if proxy in opened.bases:  # its pictures are in the tars of its base
                assert extensions == {"txt", "json"}
                continue
            assert extensions - {"target.png", "target.jpg"} == {"input.jpg", "txt", "json"}
            assert len(extensions) == 4
            assert io.BytesIO(sample["input.jpg"]).read(2) == b"\xff\xd8"
            assert not placeholders(sample["txt"].decode())
