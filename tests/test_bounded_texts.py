"""Texts of a manifest are bounded before they grow: YAML, brace patterns, protocols."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from braceexpand import braceexpand
from hypothesis import given
from hypothesis import strategies as st

from sgt_data.cli.app import main
from sgt_data.errors import ManifestError, RequestError
from sgt_data.files import urls
from sgt_data.files.braces import BRACES_DEPTH_MAX, expand_braces
from sgt_data.files.urls import expand
from sgt_data.manifest.manifest import load_manifest, parse_manifest
from sgt_data.yaml_text import DEPTH_MAX, DIGITS_MAX, NODES_MAX, parse_yaml

YAML_BOMBS = {
    "values": "a: [" + "1," * 2_000_000 + "]",
    "aliases": "a: &a x\nb: [" + "*a," * 1_000_000 + "]",
    "laughs": "a0: &a0 [x]\n"
    + "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)),
    "brackets": "[" * 1_000_000,
    "dashes": "- " * 500_000 + "x",
    "keys": "? " * 500_000 + "x",
    "digits": "a: " + "9" * 1_000_000,
    "version": "%YAML 1." + "1" * 10_000 + "\n---\na",
}


@pytest.mark.parametrize("name", YAML_BOMBS)
def test_a_yaml_bomb_is_refused_before_it_grows(name: str) -> None:
    began = time.process_time()
    with pytest.raises(ManifestError, match=r"^m\.yaml"):
        parse_yaml(YAML_BOMBS[name], "m.yaml")
    assert time.process_time() - began < 20


def test_what_a_manifest_needs_is_far_below_the_bounds() -> None:
    deep = "".join("  " * level + "a:\n" for level in range(DEPTH_MAX - 1))
    assert parse_yaml(deep, "m")
    assert len(parse_yaml("[" + "1," * (NODES_MAX // 100) + "]", "m")) == NODES_MAX // 100
    assert parse_yaml("9" * DIGITS_MAX, "m") == int("9" * DIGITS_MAX)


BRACE_BOMBS = (
    "/x/{0..999999999999}.tar", "/x/{0..-9999999}", "/x/{1..9" + "9" * 5000 + "}",
    "/x/" + "{a,b}" * 40, "/x/" + "{1..1000}" * 3, "/x/" + "{" * 3000 + "a,b" + "}" * 3000,
    "/x/{" + ",".join("{0..99999}" for _ in range(100)) + "}", "/" + "x" * 9000 + "{1..100000}",
    "/x/" + "{a..z}" * 8,
)  # fmt: skip


@pytest.mark.parametrize("pattern", BRACE_BOMBS, ids=lambda pattern: pattern[:24])
def test_braces_are_counted_before_they_are_written_out(pattern: str) -> None:
    began = time.process_time()
    with pytest.raises(RequestError, match="stands for more than 1,000,000 URLs"):
        expand(pattern)
    manifest = {
        "name": "x", "sources": [{"type": "sa1b", "tars": pattern}], "proxies": [{"type": "edge"}]
    }  # fmt: skip
    with pytest.raises(ManifestError, match=r"sources\.0\.tars: .*stands for more"):
        parse_manifest(manifest)
    assert time.process_time() - began < 5


@given(st.text("ab{},.\\-019", max_size=24))
def test_a_pattern_within_the_bounds_is_what_bash_makes_of_it(pattern: str) -> None:
    try:
        expected = list(braceexpand(pattern)) if pattern.count("..") < 1 else None
    except ValueError:
        expected = ["unbalanced"]
    try:
        written = expand_braces(pattern)
    except ValueError:
        written = ["unbalanced"]
    except RequestError:
        return
    assert expected is None or written == expected


@pytest.mark.parametrize(
    "pattern", ["sa_{000000..000999}.tar", "{a,{b,c}}/{1..3..2}", "a\\{1..9999999\\}", "{}", "{a}"]
)
def test_usual_patterns_are_written_out(pattern: str) -> None:
    assert expand_braces(pattern) == list(braceexpand(pattern))
    nested = "{a," * BRACES_DEPTH_MAX + "b" + "}" * BRACES_DEPTH_MAX
    assert len(expand_braces(nested)) == BRACES_DEPTH_MAX + 1


HOSTILE = (
    "reference://http://127.0.0.1/spec.json", "http://127.0.0.1/x::reference://y",
    "simplecache::http://127.0.0.1/x", "filecache::file:///etc/passwd", "zip://a::/tmp/x.zip",
    "github://o:r@main/x", "git://x", "dask://x", "jupyter://h/x", "jlab://h/x", "ssh://host/x",
    "sftp://host/x", "local:///etc/passwd", "data://x", "pipe://x", "smb://h/x", "webhdfs://h/x",
    "dir::file:///x", "{s3,ssh}://h/x", "s3://b/x::local:///etc/passwd", "asynclocal:///x",
)  # fmt: skip
SOURCES: tuple[dict[str, Any], ...] = (
    {"type": "sa1b", "tars": None},
    {"type": "sa1b", "tars": ["/x.tar", None]},
    {"type": "sa1b", "links": None},
    {"type": "tars", "tars": None},
    {"type": "folder", "pictures": None},
    {"type": "folder", "pictures": "/x", "depth": None},
    {"type": "coco", "root": None, "annotations": ["panoptic"]},
    {"type": "coco", "root": "/x", "annotations": ["panoptic"], "pictures": None},
)


def manifest_with(source: dict[str, Any], url: str, **more: Any) -> dict[str, Any]:
    filled = {
        field: [each or url for each in value] if isinstance(value, list) else value or url
        for field, value in source.items()
    }
    return {"name": "x", "sources": [filled], "proxies": [{"type": "edge"}], **more}


@pytest.mark.parametrize("url", HOSTILE)
def test_a_manifest_opens_no_file_system_that_runs_or_chains(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(urls, "url_to_fs", lambda url: pytest.fail(f"{url} was opened"))
    for source in SOURCES:
        with pytest.raises(ManifestError, match=r"begins with one of file://, http://") as error:
            parse_manifest(manifest_with(source, url))
        assert "protocols: [" in str(error.value)
    annotators = [{"type": "sam", "checkpoint": url}, {"type": "depth_anything", "model": url}]
    for annotator in annotators:
        fields = manifest_with({"type": "folder", "pictures": "/x"}, "", annotators=[annotator])
        with pytest.raises(ManifestError, match=r"annotators\.0\.(checkpoint|model): found"):
            parse_manifest(fields)
    lines = [{"type": "edge", "instructions": f"{url}/lines.txt"}]
    fields = manifest_with({"type": "folder", "pictures": "/x"}, "", proxies=lines)
    if "{" not in url:
        with pytest.raises(ManifestError, match=r"proxies\.0\.instructions: "):
            parse_manifest(fields)


def test_a_manifest_may_allow_further_protocols_which_no_corpus_states(tmp_path: Path) -> None:
    folder = {"type": "folder", "pictures": None}
    chained = f"simplecache::file://{tmp_path}"
    manifest = parse_manifest(manifest_with(folder, chained, protocols=["simplecache"]))
    plain = parse_manifest(manifest_with(folder, str(tmp_path)))
    assert manifest.identity() == plain.identity()
    assert "protocols" not in manifest.resolved()
    with pytest.raises(ManifestError, match=r"protocols: \[simplecache, ssh\]"):
        parse_manifest(manifest_with(folder, "simplecache::ssh://h/x", protocols=["simplecache"]))
    with pytest.raises(ManifestError, match=r"protocols\.0"):
        parse_manifest(manifest_with(folder, "/x", protocols=["ssh://"]))
    place = tmp_path / "m.yaml"
    place.write_text("name: x\nsources: [{type: folder, pictures: /x}]\nproxies: [{type: edge}]\n")
    with pytest.raises(ManifestError):
        load_manifest(str(place), ["sources.0.pictures=ssh://h/x"])
    typed = load_manifest(str(place), ["sources.0.pictures=ssh://h/x", "protocols=[ssh]"])
    assert typed.sources[0].pictures == "ssh://h/x"


@pytest.mark.parametrize("text", [YAML_BOMBS["laughs"], "[" * 5000, "protocols: {a: 1}"])
def test_a_hostile_manifest_ends_in_words_and_code_2(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "m.yaml"
    place.write_text(text)
    with pytest.raises(SystemExit) as ended:
        main(["build", str(place), "--output", str(tmp_path / "out"), "--dry-run"])
    assert ended.value.code == 2
    shown = capsys.readouterr().err
    assert shown.startswith("sgt-data: ") and "Traceback" not in shown
