"""URLs that come from files name one file each: none loads a program, and none hides another."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import fsspec
import pyarrow.parquet as pq
import pytest
from making import (
    boxes,
    built,
    coco_annotation,
    coco_document,
    coco_image,
    jpeg,
    ledger_in,
    proxy_of,
    run_lengths,
    write_coco,
)

import sgt_data
from sgt_data.errors import RequestError
from sgt_data.files import urls
from sgt_data.files.urls import checked_url, open_filesystem
from sgt_data.sources.sa1b import parse_links

HOSTILE = (
    "reference://http://127.0.0.1/spec.json",
    "http://127.0.0.1/x::reference://y",
    "simplecache::http://127.0.0.1/x",
    "filecache://x", "zip://a::/tmp/x.zip", "github://o:r@main/x", "dask://x", "jupyter://x",
    "ssh://host/x", "data://x",
)  # fmt: skip


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("plain")
    (root / "pictures").mkdir()
    for number in range(6):
        (root / "pictures" / f"{number}.jpg").write_bytes(jpeg(64, 48, number))
    source = {"type": "folder", "pictures": str(root / "pictures")}
    assert built(root / "corpus", source, [{"type": "edge"}]).succeeded
    return root / "corpus"


def no_other_file_system(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(url: str) -> Any:
        pytest.fail(f"{url} was opened")

    monkeypatch.setattr(urls, "url_to_fs", refuse)
    monkeypatch.setattr(fsspec, "open", refuse)


def with_place(file: Path, url: str) -> str:
    """The subset file with another `parent.url`, and no path beside it."""
    table = pq.read_table(file)
    document = json.loads(pq.ParquetFile(file).metadata.metadata[b"sgt_data subset"])
    document["parent"]["url"], document["beside"] = url, None
    other = file.with_name("hostile.subset.parquet")
    with pq.ParquetWriter(other, table.schema) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({"sgt_data subset": json.dumps(document)})
    return str(other)


@pytest.mark.parametrize("url", HOSTILE)
def test_a_subset_file_opens_no_file_system_that_runs_or_chains(
    url: str, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sgt_data.subset(str(corpus), 0.5, file=str(tmp_path / "half.subset.parquet"))
    file = with_place(tmp_path / "half.subset.parquet", url)
    no_other_file_system(monkeypatch)
    with pytest.raises(RequestError, match=r"file://, http://, https://, s3://"):
        sgt_data.open_corpus(file)
    with pytest.raises(RequestError, match="neither at"):
        sgt_data.verify_corpus(file)


@pytest.mark.parametrize("url", [*HOSTILE, "file:///etc/passwd", "/etc/passwd", None, 7])
def test_an_annotation_file_fetches_pictures_by_http_alone(
    url: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    annotation = coco_annotation(1, 1, run_lengths(boxes(64, 48)[0]))
    document = coco_document([coco_image(1) | {"coco_url": url}], [annotation])
    root = write_coco(tmp_path / "coco", {}, {"instances": document})
    no_other_file_system(monkeypatch)
    source = {"type": "coco", "root": str(root), "annotations": ["instances"],
              "pictures": "coco_url"}  # fmt: skip
    built(tmp_path / "corpus", source, [proxy_of("instance")])
    (row,) = ledger_in(tmp_path / "corpus", "instance")
    assert "its coco_url is not an http(s) address" in row["reason"]


@pytest.mark.parametrize("url", [url for url in HOSTILE if "://" in url])
def test_a_list_of_links_with_another_protocol_is_refused(url: str) -> None:
    lines = f"file_name\tcdn_link\nsa_000000.tar\thttps://host/x\nsa_000001.tar\t{url}?sig=SECRET\n"
    with pytest.raises(RequestError, match=r"links\.txt, line 3: the link of 'sa_000001") as error:
        parse_links(lines.encode(), "links.txt")
    assert "SECRET" not in str(error.value)


def test_a_subset_file_that_could_not_be_opened_again_is_not_written(
    corpus: Path, tmp_path: Path
) -> None:
    """A person may type a chained URL; a file may not hold it."""
    chained = f"simplecache::file://{corpus}"
    assert sum(1 for _ in sgt_data.open_corpus(chained).samples("edge")) == 6
    with pytest.raises(RequestError, match="open the corpus by such a URL"):
        sgt_data.subset(chained, 0.5, file=str(tmp_path / "x.subset.parquet"))
    assert not list(tmp_path.iterdir())


def test_a_corpus_whose_name_would_chain_gets_no_subset_file(corpus: Path, tmp_path: Path) -> None:
    shutil.copytree(corpus, tmp_path / "x::y")
    with pytest.raises(RequestError, match="open the corpus by such a URL"):
        sgt_data.subset(str(tmp_path / "x::y"), 0.5, file=str(tmp_path / "x.subset.parquet"))
    assert [path.name for path in tmp_path.iterdir()] == ["x::y"]


@pytest.mark.parametrize(
    "url", ["/a/b", "file:///a", "https://h/x?y=1", "s3://b/k", "gs://b/k", "hf://datasets/o/n",
            "az://c/k", "abfs://c@a/k", "memory://x"],
)  # fmt: skip
def test_plain_urls_pass(url: str) -> None:
    assert checked_url(url) == url


def test_a_local_path_is_no_chain_whatever_its_name(tmp_path: Path) -> None:
    place = tmp_path / "a::b.jpg"
    assert open_filesystem(str(place))[1] == str(place)


# --- a corpus that moved


def test_a_corpus_that_was_moved_is_found_beside_its_subset_file(
    corpus: Path, tmp_path: Path
) -> None:
    shutil.copytree(corpus, tmp_path / "there" / "corpus")
    file = tmp_path / "here" / "half.subset.parquet"
    file.parent.mkdir()
    sgt_data.subset(str(tmp_path / "there" / "corpus"), 0.5, file=str(file))
    shutil.move(tmp_path / "there" / "corpus", tmp_path / "here" / "corpus")
    assert sgt_data.open_corpus(str(file)).url == str(tmp_path / "here" / "corpus")


def test_a_corpus_that_is_gone_is_named_at_each_place_once(corpus: Path, tmp_path: Path) -> None:
    shutil.copytree(corpus, tmp_path / "a" / "corpus")
    sgt_data.subset(str(tmp_path / "a" / "corpus"), 0.5, file=str(tmp_path / "x.subset.parquet"))
    shutil.rmtree(tmp_path / "a")
    with pytest.raises(RequestError) as error:
        sgt_data.open_corpus(str(tmp_path / "x.subset.parquet"))
    for place in (tmp_path / "a" / "corpus", tmp_path / "corpus"):
        assert len(re.findall(f"{place}( |;|$)", str(error.value))) == 1
    assert "take the subset anew" in str(error.value)


def test_a_server_that_is_not_reached_is_one_of_the_places(corpus: Path, tmp_path: Path) -> None:
    sgt_data.subset(str(corpus), 0.5, file=str(tmp_path / "half.subset.parquet"))
    file = with_place(tmp_path / "half.subset.parquet", "memory://nothing/here")
    with pytest.raises(RequestError, match="neither at memory://nothing/here nor at"):
        sgt_data.open_corpus(file)
