"""Corpora of format 1.0, whose samples leave out what a source does not state, stay readable.

`data/corpus-1.0-*.tar.xz` were built before format 1.1: 4 drawn pictures of each source, and one
of them has a crowd. Nothing in them is made anew.
"""

from __future__ import annotations

import hashlib
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hub_server import TOKEN, Hub, running
from typer.testing import CliRunner

from sgt_data import (
    IN_PROCESS,
    Stream,
    build_corpus,
    contact_sheet,
    decode,
    export_corpus,
    open_corpus,
    push_corpus,
    subset,
    verify_corpus,
    write_questions,
)
from sgt_data.cli.app import app
from sgt_data.corpus.header import read_header
from sgt_data.errors import CorpusError, CorpusMismatch
from sgt_data.facts import NEWEST_MINOR
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.scoring.layout_fidelity import class_colours
from sgt_data.stream.transforms import is_label_target

DATA = Path(__file__).parent / "data"
NAMES = ("embedded", "shared")


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both corpora."""
    root = tmp_path_factory.mktemp("old")
    for name in NAMES:
        with tarfile.open(DATA / f"corpus-1.0-{name}.tar.xz") as archive:
            archive.extractall(root, filter="data")
    return root


def document(root: Path) -> dict[str, Any]:
    stated: dict[str, Any] = orjson.loads((root / "corpus.json").read_bytes())
    return stated


def test_they_are_of_format_1_0(old: Path) -> None:
    for name in NAMES:
        assert "minor" not in document(old / name)
        header = read_header(str(old / name))
        assert header is not None and header.minor == 0
    facts = [sample.facts for sample in open_corpus(str(old / "embedded")).samples("instance")]
    assert any("iscrowd" in segment for of_one in facts for segment in of_one["segments"])
    assert all("hidden" in of_one and "minor" not in of_one for of_one in facts)


@pytest.mark.parametrize("name", NAMES)
def test_every_check_of_a_corpus_holds(old: Path, name: str) -> None:
    verdict = verify_corpus(str(old / name), deep=True)
    assert verdict.sound, verdict.findings
    assert verdict.samples + verdict.inputs > 30


def test_a_line_of_an_earlier_bank_must_hold_the_words_of_its_sample(
    old: Path, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(old / "embedded", tmp_path / "old"))
    tar = next((root / "referring").glob("*.tar"))
    data = bytearray(tar.read_bytes())
    with tarfile.open(tar) as archive:
        member = next(member for member in archive if member.name.endswith(".txt"))
    data[member.offset_data : member.offset_data + member.size] = b"x" * member.size
    tar.write_bytes(data)
    receipt = root / "receipts" / "referring" / f"{tar.stem}.json"
    stated = orjson.loads(receipt.read_bytes())
    stated["tar"]["sha256"] = hashlib.sha256(data).hexdigest()
    receipt.write_bytes(orjson.dumps(stated))
    findings = "\n".join(map(str, verify_corpus(str(root), deep=True).findings))
    assert "instruction is empty or lacks the words" in findings


@pytest.mark.parametrize("name", NAMES)
def test_every_target_decodes_to_what_its_facts_count(old: Path, name: str) -> None:
    corpus = open_corpus(str(old / name))
    for proxy in corpus.proxies:
        for sample in corpus.samples(proxy):
            decoded = decode(sample.target, sample.facts)
            if proxy not in ("referring",) and "segments" in sample.facts:
                assert (
                    len(decoded.segments) == len(sample.facts["segments"]) == decoded.labels.max()
                )
            assert is_label_target(sample.facts) in (True, False)


@pytest.mark.parametrize("name", NAMES)
def test_streams_give_every_sample(old: Path, name: str) -> None:
    root = str(old / name)
    proxies = open_corpus(root).proxies
    stream = Stream({root: proxies}, batch_size=4)
    given = [sample for batch in stream for sample in batch["samples"]]
    stored = {(proxy, s.key) for proxy in proxies for s in open_corpus(root).samples(proxy)}
    assert {(sample.proxy, sample.key) for sample in given} == stored


@pytest.mark.parametrize("name", NAMES)
def test_a_copy_of_a_part_keeps_the_bytes_and_the_format(
    old: Path, name: str, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    subset(str(old / name), 0.5, output=str(copy), cluster=IN_PROCESS)
    assert "minor" not in document(copy)
    assert verify_corpus(str(copy), deep=True).sound
    subset(str(old / name), 0.5, file=str(tmp_path / "half.subset.parquet"))
    chosen, copied = open_corpus(str(tmp_path / "half.subset.parquet")), open_corpus(str(copy))
    for proxy in copied.proxies:
        assert list(copied.samples(proxy)) == list(chosen.samples(proxy))


def test_they_are_exported_shown_and_asked_about(old: Path, tmp_path: Path) -> None:
    root = str(old / "embedded")
    assert export_corpus(root, str(tmp_path / "bagel")).complete
    assert export_corpus(root, str(tmp_path / "omnigen2"), "omnigen2").complete
    assert contact_sheet(open_corpus(root)).width == 2000
    report = write_questions(root, str(tmp_path / "questions"))
    assert report.pictures == 4 and report.left_out
    facts = [sample.facts for sample in open_corpus(str(old / "shared")).samples("semantic")]
    assert len(class_colours(facts)) > 3
    shown = CliRunner().invoke(app, ["info", root, "--json"])
    assert shown.exit_code == 0, shown.output
    assert orjson.loads(shown.stdout.splitlines()[-1])["complete"]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    from huggingface_hub import constants
    from huggingface_hub.utils import close_session

    with running() as server:
        template = server.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "ENDPOINT", server.endpoint)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        close_session()
        yield server
    close_session()


def test_a_push_keeps_the_format(old: Path, hub: Hub) -> None:
    push_corpus(str(old / "embedded"), "somebody/old", pictures=True)
    pushed = open_corpus("hf://datasets/somebody/old")
    assert pushed.header.minor == 0 and pushed.header.complete
    assert np.array_equal(
        [sample.key for sample in pushed.samples("depth")],
        [sample.key for sample in open_corpus(str(old / "embedded")).samples("depth")],
    )


def test_a_build_of_another_minor_version_is_not_continued(
    old: Path, sample_sources: Path, tmp_path: Path
) -> None:
    manifest = parse_manifest(
        {
            "name": "format-1-0-embedded",
            "sources": [{"type": "sa1b", "tars": f"{sample_sources}/sa1b/sa_*.tar"}],
            "proxies": [{"type": "edge"}],
        }
    )
    before = (old / "embedded" / "corpus.json").read_bytes()
    with pytest.raises(CorpusMismatch) as why:
        build_corpus(manifest, str(old / "embedded"), cluster=IN_PROCESS)
    for part in ("format 1.0", "format 1.1", "stays readable", "another --output", "began it"):
        assert part in str(why.value)
    assert (old / "embedded" / "corpus.json").read_bytes() == before


def test_a_newer_minor_version_is_refused_by_every_reader(old: Path, tmp_path: Path) -> None:
    stated = document(old / "shared") | {"minor": NEWEST_MINOR + 1}
    (tmp_path / "corpus.json").write_bytes(orjson.dumps(stated))
    with pytest.raises(CorpusError, match=r"1\.3.*reads up to 1\.2.*newer"):
        open_corpus(str(tmp_path))
    for wrong in (-1, "1", True, 1.0):
        (tmp_path / "corpus.json").write_bytes(orjson.dumps(stated | {"minor": wrong}))
        with pytest.raises(CorpusError, match="minor is"):
            open_corpus(str(tmp_path))
