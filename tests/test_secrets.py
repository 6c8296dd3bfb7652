"""Passwords and signatures of URLs reach no file, no message and no output."""

from __future__ import annotations

import json
import re
import shutil
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pyarrow.parquet as pq
import pytest
import yaml
from http_server import Locked, serving
from making import SMALL, files_in, proxy_of, sa1b_members, tar_of

import sgt_data
from sgt_data import IN_PROCESS, build_corpus
from sgt_data.cli.app import main
from sgt_data.cli.output import report_table, show
from sgt_data.errors import RequestError, SgtDataError, SourceError
from sgt_data.files import retries
from sgt_data.files.claim import Claim, claim
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.progress import Progress
from sgt_data.publish.push import push_corpus
from sgt_data.questions.write_questions import write_questions
from sgt_data.records import Inventory, QuarantineRow
from sgt_data.redaction import has_secrets, without_secrets
from sgt_data.result import Failure, Result
from sgt_data.scenes.write_samples import write_samples
from sgt_data.training.config import document_of, parse_config

SECRET = re.compile(r"SECRET\w*")
OLD, NEW = "X-Amz-Credential=me&X-Amz-Signature=SECRETold", "X-Amz-Signature=SECRETnew"
PASSWORD = "reader:SECRETword"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Any, Path]]:
    """Sources of every kind behind a password, or a signature for each file."""
    root = tmp_path_factory.mktemp("served")
    write_samples(str(root / "drawn"), 4, seed=2, size=(96, 64), pictures_per_tar=4)
    (root / "sa_000000.tar").write_bytes(tar_of(sa1b_members(3)))
    with serving(root, Locked, keys={PASSWORD, OLD, NEW}) as (host, handler):
        yield host, handler, root


def document_for(host: str, query: str) -> dict[str, Any]:
    """Every kind of place: a file with a signature, a folder behind a password."""
    signed, locked = f"http://{host}", f"http://{PASSWORD}@{host}"
    coco = f"{locked}/drawn/coco"
    return {
        "name": "locked",
        "shard_samples": 2,
        "max_quarantined": 1.0,
        "pictures": SMALL,
        "sources": [
            {"type": "sa1b", "tars": f"{signed}/sa_000000.tar?{query}"},
            {"type": "coco", "root": coco, "annotations": ["instances"],
             "instances": f"{signed}/drawn/coco/annotations/instances_train2017.json?{query}"},
            {"type": "folder", "pictures": f"{coco}/train2017",
             "licence": "https://creativecommons.org/licenses/by/4.0/?lang=en"},
        ],
        "proxies": [{"type": "edge"}, proxy_of("instance", sources=["coco"])],
    }  # fmt: skip


def secrets_in(folder: Path) -> list[str]:
    """Files below a folder that hold the word SECRET; of Parquet also decompressed."""
    found = []
    for path, data in files_in(folder).items():
        text = data.decode("latin-1") + path
        if path.endswith(".parquet"):
            text += str(pq.read_table(folder / path).to_pylist())
        found += [path] * bool(SECRET.search(text))
    return found


def test_no_place_that_a_manifest_names_leaves_its_key_in_a_corpus(
    served: tuple[str, Any, Path], tmp_path: Path, capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(retries, "PAUSE_SECONDS", 0.0)
    host, handler, _ = served
    Path("m.yaml").write_text(yaml.safe_dump(document_for(host, OLD)))
    run = ["--output", "corpus", "--workers", "0", "--json"]

    def command(*arguments: str) -> int:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        return int(ended.value.code or 0)

    assert command("build", "m.yaml", *run) == 0
    # another signature, another password: the same corpus
    Path("m.yaml").write_text(yaml.safe_dump(document_for(host, NEW)))
    capfd.readouterr()
    assert command("build", "m.yaml", *run) == 0
    assert json.loads(capfd.readouterr().out)["built_shards"] == 0
    # the server takes no key any more
    monkeypatch.setattr(handler, "keys", set())
    assert command("build", "m.yaml", *run) != 0
    assert command("build", "m.yaml", *run, "--set", "seed=9") != 0
    assert command("build", "m.yaml", *run, "--set", "shard_samples=-1") == 2
    for verb in ("verify", "info"):
        assert command(verb, "corpus", "--json") == 0
    Path("m.yaml").unlink()
    assert not secrets_in(tmp_path)
    assert not SECRET.search("".join(capfd.readouterr()))
    # a licence is no place, and stays as it is
    stored = json.loads(Path("corpus/corpus.json").read_text())
    assert "?lang=en" in json.dumps(stored["manifest"])
    assert stored["manifest"]["sources"][0]["tars"] == f"http://{host}/sa_000000.tar?..."


def test_what_is_made_of_a_locked_corpus_does_not_hold_its_password(
    served: tuple[str, Any, Path], tmp_path: Path
) -> None:
    host, _, root = served
    sources = [{"type": "coco", "root": str(root / "drawn/coco"), "annotations": ["instances"]}]
    document = document_for(host, OLD) | {"sources": sources}
    assert build_corpus(parse_manifest(document), str(root / "c"), cluster=IN_PROCESS).succeeded
    corpus, out = f"http://{PASSWORD}@{host}/c", tmp_path / "out"
    out.mkdir()
    sgt_data.subset(corpus, 0.5, file=str(out / "half.subset.parquet"))
    sgt_data.subset(corpus, 0.5, output=str(out / "copy"), cluster=IN_PROCESS)
    for _ in range(2):  # the second finds what the first has written
        write_questions(corpus, str(out / "questions"))
    config = parse_config({"data": {"corpus": corpus, "questions": "q"}, "drawings": 0})
    (out / "config.json").write_text(json.dumps(document_of(config)))
    assert not secrets_in(out)
    assert sgt_data.verify_corpus(str(out / "copy")).sound


def test_no_error_about_a_locked_server_holds_its_key(
    served: tuple[str, Any, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries, "PAUSE_SECONDS", 0.0)
    host, handler, _ = served
    monkeypatch.setattr(handler, "keys", set())
    for url in (
        f"http://{PASSWORD}@{host}/sa_000000.tar",
        f"http://{host}/sa_000000.tar?{OLD}",
        f"http://{host}/none.tar?{OLD}",
        f"http://{PASSWORD}@127.0.0.1:1/x.tar?{OLD}",
        f"nothing://{PASSWORD}@host/x?{OLD}",
    ):
        for request in (
            {"type": "sa1b", "tars": url},
            {"type": "tars", "tars": [url, url + "2"]},
            {"type": "coco", "root": url, "annotations": ["panoptic"]},
            {"type": "folder", "pictures": url},
        ):
            manifest = document_for(host, OLD) | {"sources": [request]}
            with pytest.raises(SgtDataError) as error:
                build_corpus(
                    parse_manifest(manifest | {"proxies": [{"type": "edge"}]}),
                    "memory://secrets/out", cluster=IN_PROCESS,
                )  # fmt: skip
            shown = "".join(traceback.format_exception(error.value))
            assert not SECRET.search(shown), shown
    assert not fsspec.filesystem("memory").exists("/secrets/out/corpus.json")


def test_verify_and_push_refuse_a_corpus_that_holds_a_key_and_do_not_show_it(
    served: tuple[str, Any, Path], tmp_path: Path
) -> None:
    """As versions before this one wrote them."""
    host, _, root = served
    manifest = document_for(host, OLD)
    manifest["sources"] = [
        {"type": "folder", "pictures": str(root / "drawn/coco/train2017"), "licence": "CC0"}
    ]
    manifest["proxies"], manifest["inputs"] = [{"type": "edge"}], "shared"
    corpus = tmp_path / "corpus"
    assert build_corpus(parse_manifest(manifest), str(corpus), cluster=IN_PROCESS).succeeded
    sgt_data.subset(str(corpus), 0.5, output=str(tmp_path / "copy"), cluster=IN_PROCESS)
    for place, change, field in (
        (corpus, ("manifest", "sources", 0, "pictures"), "manifest.sources.0.pictures"),
        (tmp_path / "copy", ("parent", "url"), "parent.url"),
    ):
        document = json.loads((place / "corpus.json").read_text())
        below: Any = document
        for name in change[:-1]:
            below = below[name]
        below[change[-1]] = f"https://host/a/b?{OLD}"
        (place / "corpus.json").write_text(json.dumps(document))
        findings = [str(finding) for finding in sgt_data.verify_corpus(str(place)).findings]
        assert len(findings) == 1
        assert field in findings[0] and "wrote the file again" in findings[0]
        assert not SECRET.search(findings[0])
        with pytest.raises(RequestError, match=re.escape(field)) as error:
            push_corpus(str(place), "somebody/x", dry_run=True)
        assert not SECRET.search(str(error.value))
    # the same build writes the file anew, without the key
    assert build_corpus(parse_manifest(manifest), str(corpus), cluster=IN_PROCESS).succeeded
    assert sgt_data.verify_corpus(str(corpus)).sound
    ledger = min((corpus / "quarantine" / "edge").iterdir())
    row = {"key": "x", "source": "s", "slice": "s", "member": "m", "kind": "damaged",
           "reason": f"cannot read https://h/x?{OLD}"}  # fmt: skip
    ledger.write_text(json.dumps(row) + "\n")
    problems = "\n".join(map(str, sgt_data.verify_corpus(str(corpus)).findings))
    assert "field reason of line 1" in problems
    assert not SECRET.search(problems)


def test_all_that_a_person_reads_loses_the_keys_where_it_is_made() -> None:
    url = f"https://{PASSWORD}@host/x.tar?{OLD}"
    shown = [
        str(SourceError(f"cannot read {url}: no")),
        str(Failure("a/b", url)),
        *Result(notes=[url]).notes,
        Progress(0, note=url).note,
        *Inventory((), {}, notes=(url,)).notes,
        QuarantineRow("k", "s", "s", "m", "damaged", url).reason,
    ]
    assert not SECRET.search(" ".join(shown))
    assert all("https://host/x.tar?..." in text for text in shown)


def test_no_table_shows_a_key(capfd: pytest.CaptureFixture[str]) -> None:
    url = f"https://{PASSWORD}@host/x.tar?{OLD}"
    table = report_table(("place",), ())
    table.add_row(url)
    table.title = table.caption = url
    for text in (table, url):
        show(text, {"place": url, "more": [url]}, as_json=False)
        show(text, {"place": url, "more": [url]}, as_json=True)
    assert not SECRET.search("".join(capfd.readouterr().out.split()))


def test_a_claim_is_compared_without_keys(tmp_path: Path) -> None:
    def claims(query: str) -> Claim:
        return Claim("m.json", {"corpus": f"https://h/c?{query}"}, "a test")

    assert claim(str(tmp_path / "f"), claims(OLD))
    assert not claim(str(tmp_path / "f"), claims(NEW))
    shutil.rmtree(tmp_path / "f")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://u:p@ss@h:80/x?X-Amz-Signature=S, then", "https://h:80/x?..., then"),
        ("(http://a/b?x=1 and http://c/d?sig=2)", "(http://a/b?... and http://c/d?...)"),
        ("simplecache::https://u:p@h/q?token=1", "simplecache::https://h/q?..."),
        ("s3://key:word@bucket/x?versionId=3", "s3://bucket/x?..."),
        ("'https://ghp_token@host/a'", "'https://host/a'"),
        ("cannot read /x.tar?sig=AB now", "cannot read /x.tar?sig=... now"),
        ("https://h/cb#access_token=AB", "https://h/cb#access_token=..."),
    ],
)
def test_secrets_of_urls_are_taken_out_of_a_text(text: str, shown: str) -> None:
    assert without_secrets(text) == shown
    assert has_secrets(text) and not has_secrets(shown)


@pytest.mark.parametrize(
    "text",
    [
        "s3://bucket/sa_??????.tar", "hf://datasets/owner/name@main/x.tar", "sftp://me@host/x",
        "abfs://container@account.dfs.core.windows.net/x", "http://host:8080/a@b.jpg", "/a/b?.jpg",
        "is it 3=3? yes", "https://h/x?...",
    ],
)  # fmt: skip
def test_a_text_without_secrets_stays_as_it_is(text: str) -> None:
    assert without_secrets(text) == text
