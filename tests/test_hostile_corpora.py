"""A corpus from somebody else: no name and no link in it leads a reader or a writer out of it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from making import built, files_in, proxy_of, sa1b_members, tar_of

import sgt_data
from sgt_data.cli.app import main
from sgt_data.corpus.index import INDEX_SCHEMA
from sgt_data.errors import CorpusError, LeavesRoot, SgtDataError
from sgt_data.exports.export import export_corpus
from sgt_data.names import checked_path, checked_shard
from sgt_data.preview.contact_sheet import contact_sheet
from sgt_data.publish.push import push_corpus
from sgt_data.questions.write_questions import write_questions

Spoil = Callable[[Path], None]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sound")
    # a tar with dots, spaces and an escape in its name: its shards have them, too
    tar = root / "sa 1.0%20(new).tar"
    tar.write_bytes(tar_of(sa1b_members(6)))
    proxies = [proxy_of("entity"), {"type": "edge"}]
    assert built(
        root / "corpus", {"type": "sa1b", "tars": str(tar)}, proxies, shard_samples=3
    ).succeeded
    return root / "corpus"


def document_of(corpus: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((corpus / "corpus.json").read_text())
    return document


def spoil_header(change: Callable[[dict[str, Any]], object]) -> Spoil:
    def spoil(corpus: Path) -> None:
        document = document_of(corpus)
        change(document)
        (corpus / "corpus.json").write_text(json.dumps(document))

    return spoil


def digest(data: bytes) -> dict[str, Any]:
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def first_receipt(corpus: Path, folder: str = "entity") -> Path:
    return min((corpus / "receipts" / folder).iterdir())


def spoil_receipt(**fields: Any) -> Spoil:
    def spoil(corpus: Path) -> None:
        place = first_receipt(corpus)
        place.write_text(json.dumps(json.loads(place.read_text()) | fields))

    return spoil


def spoil_index(column: str, value: Any) -> Spoil:
    """The first row says something else, and the receipt's digest fits."""

    def spoil(corpus: Path) -> None:
        receipt = first_receipt(corpus)
        place = corpus / "index" / "entity" / f"{receipt.name.removesuffix('.json')}.parquet"
        rows = pq.read_table(place).to_pylist()
        rows[0][column] = value
        pq.write_table(pa.Table.from_pylist(rows, schema=INDEX_SCHEMA), place)
        stated = json.loads(receipt.read_text()) | {"index": digest(place.read_bytes())}
        receipt.write_text(json.dumps(stated))

    return spoil


def spoil_link(path: str) -> Spoil:
    """A file of the corpus becomes a link to the same bytes elsewhere."""

    def spoil(corpus: Path) -> None:
        place = min(corpus.glob(path))
        elsewhere = corpus.parent / f"elsewhere-{place.name}"
        shutil.move(place, elsewhere)
        place.symlink_to(elsewhere)

    return spoil


def rename_shard(name: str) -> Spoil:
    def change(document: dict[str, Any]) -> None:
        for shards in document["shards"].values():
            shards[0] = name

    return spoil_header(change)


def rename_proxy(name: str) -> Spoil:
    """The proxy `edge` is named otherwise wherever the header names it."""
    return lambda corpus: (corpus / "corpus.json").write_text(  # type: ignore[return-value]
        (corpus / "corpus.json").read_text().replace('"edge"', json.dumps(name))
    )


HOSTILE: dict[str, Spoil] = {
    "key": spoil_index("key", "../../../../X"),
    "absolute key": spoil_index("key", "/tmp/X"),
    "no key": spoil_index("key", None),
    "extension": spoil_index("target_extension", "../../X"),
    "shard": rename_shard("../../outside/x"),
    "escaped shard": rename_shard("%2e%2e%2f%2e%2e%2fx"),
    "proxy": rename_proxy("../outside"),
    "corpus name": spoil_header(lambda document: document.update(name="../../X")),
    "left out": spoil_header(lambda document: document.update(left_out=["../x"])),
    "fingerprints": spoil_header(lambda document: document["fingerprints"].update({"../x": "0"})),
    "no proxies": spoil_header(lambda document: document.update(manifest={"proxies": 7})),
    "receipt": spoil_receipt(proxy="../outside", shard="x"),
    "receipt of another": spoil_receipt(shard="another"),
    "link to a tar": spoil_link("entity/*.tar"),
    "link to an index": spoil_link("index/entity/*.parquet"),
    "link to a receipt": spoil_link("receipts/entity/*.json"),
    "link to the header": spoil_link("corpus.json"),
}

IN_THE_HEADER = ("shard", "escaped shard", "proxy", "corpus name", "left out", "fingerprints")
"""What every reader meets; the rest is met by those alone that read the file in question."""


def stream_all(corpus: str) -> None:
    for _ in sgt_data.Stream({corpus: ["entity"]}, batch_size=2):
        pass


def read_all(corpus: str) -> None:
    for proxy in ("entity", "edge"):
        for _ in sgt_data.open_corpus(corpus).samples(proxy):
            pass


READERS: dict[str, Callable[[str, Path], object]] = {
    "samples": lambda corpus, out: read_all(corpus),
    "stream": lambda corpus, out: stream_all(corpus),
    "bagel": lambda corpus, out: export_corpus(corpus, str(out / "bagel"), "bagel"),
    "omnigen2": lambda corpus, out: export_corpus(corpus, str(out / "omni"), "omnigen2"),
    "file": lambda corpus, out: sgt_data.subset(corpus, 0.5, file=str(out / "h.subset.parquet")),
    "copy": lambda corpus, out: sgt_data.subset(
        corpus, samples=6, output=str(out / "copy"), cluster=sgt_data.IN_PROCESS
    ),
    "preview": lambda corpus, out: contact_sheet(sgt_data.open_corpus(corpus)),
    "push": lambda corpus, out: push_corpus(corpus, "somebody/x", dry_run=True, pictures=True),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_no_name_and_no_link_of_a_corpus_leads_out_of_it(
    kind: str, sound: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    corpus = tmp_path / "in" / "deep" / "corpus"
    shutil.copytree(sound, corpus)
    shutil.copytree(sound / "entity", tmp_path / "in" / "deep" / "outside")
    (tmp_path / "in" / "work").mkdir()
    monkeypatch.chdir(tmp_path / "in" / "work")
    HOSTILE[kind](corpus)
    before = files_in(tmp_path)
    refused = 0  # of the readers
    for name, reader in READERS.items():
        out = tmp_path / "out" / name
        try:
            reader(str(corpus), out)
        except SgtDataError as why:
            refused += 1
            assert "Error(" not in str(why), f"{name}: Python's words in {why}"
        written = {path: data for path, data in files_in(tmp_path).items() if path not in before}
        assert all(path.startswith("out/") for path in written), f"{name} wrote {list(written)}"
        shutil.rmtree(out, ignore_errors=True)
    assert before == files_in(tmp_path)
    assert refused == len(READERS) if kind in IN_THE_HEADER else refused
    verdict = sgt_data.verify_corpus(str(corpus)) if kind != "no proxies" else None
    assert verdict is None or not verdict.sound
    with pytest.raises(SystemExit) as ended:
        main(["verify", str(corpus), "--deep"])
    assert ended.value.code == 1
    assert "Traceback" not in "".join(capfd.readouterr())


def test_questions_of_a_hostile_key_are_not_written(sound: Path, tmp_path: Path) -> None:
    """The sound corpus answers no question, so the index is asked before anything else can fail."""
    corpus = tmp_path / "corpus"
    shutil.copytree(sound, corpus)
    HOSTILE["shard"](corpus)
    with pytest.raises(LeavesRoot, match=r"shards\.edge"):
        write_questions(str(corpus), str(tmp_path / "questions"))
    assert not (tmp_path / "questions").exists()


def test_names_of_a_subset_file_lead_nowhere_else(sound: Path, tmp_path: Path) -> None:
    place = tmp_path / "half.subset.parquet"
    sgt_data.subset(str(sound), 0.5, file=str(place))
    table = pq.read_table(place)
    text = pq.ParquetFile(place).metadata.metadata[b"sgt_data subset"]

    def rewritten(columns: pa.Table, document: dict[str, Any]) -> str:
        other = tmp_path / f"hostile-{columns.num_columns}-{len(str(document))}.subset.parquet"
        with pq.ParquetWriter(other, columns.schema) as writer:
            writer.write_table(columns)
            writer.add_key_value_metadata({"sgt_data subset": json.dumps(document)})
        return str(other)

    names = pa.array(["../../x"] * len(table)).dictionary_encode()
    hostile = (
        rewritten(table.set_column(1, "shard", names), json.loads(text)),
        rewritten(table.append_column("held:../x", table.column(2)), json.loads(text)),
        rewritten(table.set_column(0, "key", names.cast(pa.string())), json.loads(text)),
        rewritten(table, json.loads(text) | {"beside": "reference://x"}),
        rewritten(table, json.loads(text) | {"beside": "/etc"}),
    )
    for file in hostile:
        with pytest.raises(LeavesRoot, match="hostile"):
            sgt_data.open_corpus(file)
        verdict = sgt_data.verify_corpus(file)
        assert [finding.place for finding in verdict.findings] == [file]


def test_a_corpus_is_read_through_a_linked_root_and_from_the_hubs_cache(
    sound: Path, tmp_path: Path
) -> None:
    linked = tmp_path / "linked"
    linked.symlink_to(sound)
    read_all(str(linked))
    assert sgt_data.verify_corpus(str(linked), deep=True).sound
    # as huggingface_hub keeps a snapshot: every file a link to its content beside the snapshots
    cache = tmp_path / "datasets--somebody--x"
    snapshot = cache / "snapshots" / "0123abc"
    for number, (path, data) in enumerate(files_in(sound).items()):
        blob, place = cache / "blobs" / f"{number:04d}", snapshot / path
        for folder in (blob.parent, place.parent):
            folder.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(data)
        place.symlink_to(os.path.relpath(blob, place.parent))
    read_all(str(snapshot))
    assert sgt_data.verify_corpus(str(snapshot), deep=True).sound


@pytest.mark.parametrize(
    "name", ["sa1b-sa_000000-00003", "tars-my photos (1).v2-00000", "coco-a%20b-1", "x-日本-0"]
)
def test_names_of_tars_go_on_to_name_shards(name: str) -> None:
    assert checked_shard(name) == name


@pytest.mark.parametrize(
    "path", ["../x", "a/../../x", "/x", "s3://b/x", "a\\..\\x", "a::b", "%2e%2e/x", "", "a/", "x\0"]
)
def test_a_path_below_a_folder_stays_below_it(path: str) -> None:
    with pytest.raises(ValueError, match="file name"):
        checked_path(path)


@pytest.mark.parametrize("pattern", ["corpus.json", "index/*/*.parquet", "*/*.tar"])
def test_a_pointer_of_git_lfs_is_named(pattern: str, tmp_path: Path) -> None:
    """A clone without `git lfs pull` holds a few lines of text in place of each large file."""
    (tmp_path / "sa_0.tar").write_bytes(tar_of(sa1b_members(3)))
    built(tmp_path / "out", {"type": "sa1b", "tars": f"{tmp_path}/sa_0.tar"})
    for place in (tmp_path / "out").glob(pattern):
        place.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9999\n")
    with pytest.raises(CorpusError, match="git lfs pull"):
        list(sgt_data.open_corpus(str(tmp_path / "out")).samples("entity"))
