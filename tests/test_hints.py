"""A request that is nearly right is answered with the one that is right."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import sgt_data
from sgt_data import (
    IN_PROCESS,
    CorpusError,
    RequestError,
    build_corpus,
    decode,
    open_corpus,
)
from sgt_data.cli.app import COMMANDS, main
from sgt_data.manifest.manifest import parse_manifest


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


# --- help


def test_no_line_of_the_help_is_cut_at_80_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERMINAL_WIDTH", "80")
    assert run("--help") == 0
    commands = capsys.readouterr().out.partition("Commands:")[2]
    assert all(name in commands for name in COMMANDS)
    assert "..." not in commands
    assert max(map(len, commands.splitlines())) <= 80


# --- objects of Python


@pytest.fixture(scope="module")
def corpus(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> sgt_data.Corpus:
    document = {
        "name": "hinted",
        "sources": [
            {
                "type": "coco", "root": f"{sample_sources}/coco", "annotations": ["panoptic"],
                "depth": f"{sample_sources}/depth",
            }
        ],
        "proxies": [
            {"type": "segmentation", "name": "panoptic", "variant": "panoptic"}, {"type": "depth"},
        ],
    }  # fmt: skip
    place = str(tmp_path_factory.mktemp("hints") / "corpus")
    assert build_corpus(parse_manifest(document), place, cluster=IN_PROCESS).succeeded
    return open_corpus(place)


def test_a_number_on_a_corpus_is_answered_with_the_proxy_that_goes_before_it(
    corpus: sgt_data.Corpus,
) -> None:
    first = corpus.proxies[0]
    with pytest.raises(RequestError) as raised:
        corpus[0]  # type: ignore[index]
    assert f'corpus["{first}"][0]' in str(raised.value)
    with pytest.raises(RequestError, match=f"did you mean {first}"):
        corpus[first[:-1]]


def test_decode_says_that_it_wants_the_bytes_of_a_target(corpus: sgt_data.Corpus) -> None:
    sample = next(corpus.samples("panoptic"))
    with pytest.raises(CorpusError, match=r"JPEG picture, as inputs are.*sample\.target"):
        decode(sample.input, sample.facts)
    with pytest.raises(CorpusError, match=r"found b'nothing'.*sample\.target"):
        decode(b"nothing", sample.facts)
    picture = Image.fromarray(np.zeros((2, 2), np.uint8))
    with pytest.raises(RequestError, match=r"allowed: the bytes of a sample's target"):
        decode(picture, sample.facts)  # type: ignore[arg-type]


@pytest.mark.parametrize("proxy", ["panoptic", "depth"])
def test_what_decode_gives_is_printed_short(corpus: sgt_data.Corpus, proxy: str) -> None:
    sample = next(corpus.samples(proxy))
    said = repr(decode(sample.target, sample.facts))
    assert len(said) < 100 and "pixels" in said and "array" not in said


# --- places


def test_a_folder_without_a_corpus_is_named_by_what_it_holds(
    corpus: sgt_data.Corpus, tmp_path: Path
) -> None:
    export = tmp_path / "bagel"
    export.mkdir()
    (export / "export.json").write_text(json.dumps({"format": "bagel", "corpus": "demo"}))
    tars = tmp_path / "tars"
    tars.mkdir()
    (tars / "00000.tar").write_bytes(b"")
    (tmp_path / "file.txt").write_text("")
    for place, words in (
        (export, "an export for bagel, made from the corpus demo; open that corpus"),
        (tars, "a folder of tars that is no corpus of sgt-data"),
        (tmp_path / "file.txt", "it is a file"),
        (tmp_path / "none", "there is no such folder"),
        (Path(corpus.url).parent, f"a corpus lies in it: open {corpus.url}"),
        (Path(corpus.url) / corpus.folders[0], f"a folder of the corpus {corpus.url}"),
    ):
        with pytest.raises(RequestError, match="holds no corpus") as raised:
            open_corpus(str(place))
        assert words in str(raised.value)


@pytest.mark.parametrize(
    "command",
    [
        "report CORPUS -o PLACE.html",
        "preview CORPUS -o PLACE.png",
        "scale CORPUS --fraction 0.5 --file PLACE.subset.parquet",
        "schema -o PLACE.json",
        "palettes tab20 -o PLACE.png",
        "init demo -o PLACE.yaml",
        "join CORPUS --source sources.sa1b.tars=x --differences PLACE.jsonl",
    ],
)
def test_a_file_is_written_into_a_folder_that_is_there(
    command: str, corpus: sgt_data.Corpus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "mistyped" / "file"
    words = command.replace("CORPUS", corpus.url).replace("PLACE", str(place)).split()
    assert run(*words) == 2
    assert f"no folder {place.parent}" in capsys.readouterr().err
    assert not place.parent.exists()


# --- what there is


def test_a_kind_of_an_own_file_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("new", "proxy", "tone") == 0
    assert run("proxies", "tone", "--plugins", "tone.py") == 0
    shown = capsys.readouterr()
    assert "in a manifest:" in shown.out
    assert "next: sgt-data proxies tone --plugins tone.py --picture tone.png" in shown.err
    assert run("schema", "--plugins", "tone.py") == 0
    assert "tone" in capsys.readouterr().out


def test_a_manifest_is_shown_by_its_name_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("manifests", "coco-panoptic") == 0
    alone = capsys.readouterr().out
    assert run("manifests", "--show", "coco-panoptic") == 0
    assert capsys.readouterr().out == alone
    assert "name: coco-panoptic" in alone
    assert run("manifests", "demo", "--show", "coco-panoptic") == 2


# --- subsets


def test_a_subset_by_a_condition_says_so_in_its_name_and_its_size(
    corpus: sgt_data.Corpus,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    condition = "segments > 3"
    assert run("scale", corpus.url, "--where", condition, "--json") == 0
    stated = json.loads(capsys.readouterr().out)["subsets"][0]
    assert Path(stated["place"]).name.startswith(f"{corpus.header.name}-where-")
    assert "all" not in Path(stated["place"]).name
    assert stated["rule"]["samples"] <= stated["available"]
    assert run("scale", corpus.url, "--where", condition) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"of {stated['available']} samples" in said
    assert "(where" in said and "segments > 3)" in said
    assert run("scale", corpus.url, "--where", "segments > 4", "--fraction", "0.5") == 0
    names = {path.name for path in tmp_path.glob("*.subset.parquet")}
    assert len(names) == 2 and any(name.endswith("-0.5.subset.parquet") for name in names)
