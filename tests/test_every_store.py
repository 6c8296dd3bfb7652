"""Every verb over every protocol that it can read or write; where it cannot, it says so."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from corpora import both_sources_document, file_digests
from http_server import Files, Locked, serving
from s3_server import new_bucket, s3_in_use

import sgt_data
from sgt_data import IN_PROCESS, build_corpus
from sgt_data.cli.app import main
from sgt_data.files import retries
from sgt_data.manifest.manifest import parse_manifest


@dataclass(frozen=True)
class Store:
    """A place with sources and a corpus.

    Attributes:
        url: of the folder that holds `sources` and `corpus`.
        is_writable: whether outputs may lie there.
    """

    url: str
    is_writable: bool = True


@pytest.fixture(scope="module")
def world(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources and the corpus of them, on a disk."""
    root = tmp_path_factory.mktemp("world")
    shutil.copytree(sample_sources, root / "sources")
    rows = [
        {"input": f"coco/train2017/{path.name}", "instruction": f"Paint {path.stem}.",
         "target": f"coco/annotations/panoptic_train2017/{path.stem}.png"}
        for path in sorted((root / "sources/coco/train2017").iterdir())
    ]  # fmt: skip
    (root / "sources/pairs.jsonl").write_text("\n".join(map(json.dumps, rows)))
    sources = root / "sources"
    table = [
        {"input": (sources / row["input"]).read_bytes(), "text": row["instruction"],
         "target": (sources / row["target"]).read_bytes()}
        for row in rows
    ]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(table), root / "sources/pairs.parquet", row_group_size=5)
    manifest = parse_manifest(document(str(root)))
    assert build_corpus(manifest, str(root / "corpus"), cluster=IN_PROCESS).succeeded
    return root


def document(place: str) -> dict[str, Any]:
    fields = both_sources_document(Path("/none"), shard_samples=6)
    fields["sources"][0]["tars"] = [f"{place}/sources/sa1b/sa_00000{n}.tar" for n in range(2)]
    fields["sources"][1]["root"] = f"{place}/sources/coco"
    names = {"entity", "panoptic"}
    fields["proxies"] = [proxy for proxy in fields["proxies"] if proxy["name"] in names]
    return fields


@pytest.fixture(scope="module")
def stores(world: Path) -> Iterator[dict[str, Store]]:
    """A store of each protocol with the same files."""
    with s3_in_use(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(retries, "PAUSE_SECONDS", 0.0)
        s3, memory = fsspec.filesystem("s3"), fsspec.filesystem("memory")
        bucket = new_bucket()
        for filesystem, root in ((s3, bucket), (memory, "/every-store")):
            for path, data in _files(world).items():
                filesystem.pipe_file(f"{root}/{path}", data)
        with serving(world, Locked, keys={""}) as (ranges, _), serving(world, Files) as (whole, _):
            yield {
                "disk": Store(str(world)),
                "memory": Store("memory://every-store"),
                "s3": Store(bucket),
                "http": Store(f"http://{ranges}", is_writable=False),
                "http without ranges": Store(f"http://{whole}", is_writable=False),
            }


PROTOCOLS = ("memory", "s3", "http", "http without ranges")


def _files(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def command(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(words)
    return int(ended.value.code or 0)


def done(*words: str) -> int:
    """A command that succeeds."""
    code = command(*words)
    assert code == 0, words
    return code


def fetched(url: str, folder: Path) -> Path:
    """A copy of a folder of a store on the disk."""
    if url.startswith("/"):
        return Path(url)
    filesystem, path = fsspec.url_to_fs(url)
    for name in filesystem.find(path):
        place = folder / name.split("/out/")[1].split("/", 1)[1]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(filesystem.cat_file(name))
    return folder


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_sources_of_every_store_give_the_same_corpus(
    protocol: str, stores: dict[str, Store], world: Path, tmp_path: Path
) -> None:
    manifest = parse_manifest(document(stores[protocol].url))
    assert build_corpus(manifest, str(tmp_path / "corpus"), cluster=IN_PROCESS).succeeded
    assert file_digests(tmp_path / "corpus") == file_digests(world / "corpus")


def pairs_document(place: str) -> dict[str, Any]:
    """Pairs in folders, in a list, in a Parquet file and in the tars of a corpus."""
    forms: dict[str, dict[str, str]] = {
        "folders": {
            "pictures": f"{place}/sources/coco/train2017",
            "targets": f"{place}/sources/coco/annotations/panoptic_train2017",
        },
        "listed": {"metadata": f"{place}/sources/pairs.jsonl"},
        "rows": {"parquet": f"{place}/sources/pairs.parquet"},
        "tars": {
            "tars": f"{place}/corpus/panoptic/coco-train2017-00000.tar",
            "picture_suffix": ".input.jpg", "target_suffix": ".target.png", "text_suffix": ".txt",
            "facts_suffix": ".json",
        },
    }  # fmt: skip
    proxies: list[dict[str, Any]] = [
        {"type": "paired", "name": name, "sources": [name]} for name in forms
    ]
    proxies[0]["instructions"] = "segmentation_panoptic"
    return {
        "name": "pairs", "shard_samples": 6,
        "pictures": {"min_side": 64, "max_side": 256, "multiple_of": 8},
        "sources": [{"type": "pairs", "name": name, **fields} for name, fields in forms.items()],
        "proxies": proxies,
    }  # fmt: skip


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_pairs_of_every_store_give_the_same_tars(
    protocol: str, stores: dict[str, Store], world: Path, tmp_path: Path
) -> None:
    """Servers of the web tell no sizes, which the identity of a build states."""
    digests = []
    for place in (str(world), stores[protocol].url):
        root = tmp_path / f"{len(digests)}"
        assert build_corpus(
            parse_manifest(pairs_document(place)), str(root), cluster=IN_PROCESS
        ).succeeded
        digests.append(
            {name: d for name, d in file_digests(root).items() if not name.startswith("receipts")}
        )
    assert digests[0] == digests[1]
    assert sum(name.endswith(".tar") for name in digests[0]) == 7


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_corpus_is_written_to_every_store_that_can_be_written(
    protocol: str, stores: dict[str, Store], world: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    place = tmp_path / "m.yaml"
    place.write_text(json.dumps(document(str(world))))
    output = f"{stores[protocol].url}/out/built"
    code = command("build", str(place), "--output", output, "--workers", "0")
    if stores[protocol].is_writable:
        assert code == 0
        assert file_digests(fetched(output, tmp_path / "f")) == file_digests(world / "corpus")
    else:
        assert code == 2
        assert f"output is {output}; files are read over HTTP" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ("scale", "--fraction", "0.5", "--output"), ("scale", "--fraction", "0.5", "--file"),
        ("export", "--format", "bagel", "--output"), ("questions", "--output"), ("report", "-o"),
    ],
)  # fmt: skip
def test_no_verb_writes_over_http(
    words: tuple[str, ...], world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verb, *options = words
    place = "http://127.0.0.1:1/x.subset.parquet"
    assert command(verb, f"{world}/corpus", *options, place) == 2
    assert "files are read over HTTP, and not written" in capsys.readouterr().err


READS: dict[str, Callable[[str, Path], Any]] = {
    "verify": lambda corpus, _: done("verify", corpus, "--deep"),
    "info": lambda corpus, _: done("info", corpus, "--json"),
    "samples": lambda corpus, _: [
        (sample.key, sample.input, sample.target, sample.instruction)
        for sample in sgt_data.open_corpus(corpus).samples("entity")
    ],
    "preview": lambda corpus, out: (
        done("preview", corpus, "-o", str(out / "sheet.png")),
        (out / "sheet.png").stat().st_size > 1000,
    ),
    "report": lambda corpus, out: done("report", corpus, "-o", str(out / "report.html")),
    "subset": lambda corpus, out: (
        done("scale", corpus, "--fraction", "0.5", "--file", str(out / "h.subset.parquet")),
        sorted(
            sample.key
            for sample in sgt_data.open_corpus(str(out / "h.subset.parquet")).samples("entity")
        ),
    ),
    "where": lambda corpus, out: done(
        "scale", corpus, "--where", "height > 10", "--file", str(out / "w.subset.parquet")
    ),
    "copy": lambda corpus, out: (
        done("scale", corpus, "--fraction", "0.5", "--output", str(out / "copy"), "--workers", "0"),
        {n: d for n, d in file_digests(out / "copy").items() if n.endswith((".tar", ".parquet"))},
    ),
    "export": lambda corpus, out: (
        done("export", corpus, "--format", "bagel", "--output", str(out / "export")),
        {n: data for n, data in _files(out / "export").items() if n.endswith((".png", ".jpg"))},
    ),
    "questions": lambda corpus, out: done("questions", corpus, "--output", str(out / "q")),
    "stream": lambda corpus, _: [
        [(sample.key, sample.target) for sample in batch["samples"]]
        for batch in sgt_data.Stream({corpus: ["entity"]}, batch_size=4, seed=1)
    ],
    "push": lambda corpus, _: done("push", corpus, "somebody/x", "--dry-run", "--pictures"),
}


@pytest.mark.parametrize("verb", READS)
def test_every_verb_reads_a_corpus_of_every_store_as_one_of_a_disk(
    verb: str, stores: dict[str, Store], tmp_path: Path
) -> None:
    expected: Any = None
    for protocol, store in stores.items():
        out = tmp_path / protocol.replace(" ", "-")
        out.mkdir()
        result = READS[verb](f"{store.url}/corpus", out)
        if protocol == "disk":
            expected = result
        assert result == expected, f"{verb} over {protocol}"
