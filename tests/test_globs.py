"""Globs and stores that cannot be reached: tried again where that helps, else said in one line."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import fsspec
import pytest
from http_server import Files, Ranged, serving
from making import built, jpeg, sa1b_members, tar_of

from sgt_data.cli.app import main
from sgt_data.engine import build
from sgt_data.engine.listing import Listing, list_inputs
from sgt_data.errors import SourceError
from sgt_data.files import retries
from sgt_data.files.urls import expand
from sgt_data.manifest.manifest import Manifest


class Refusing(Files):
    """Answers every question 403, as S3 does to who may not list a bucket."""

    def do_GET(self) -> None:
        body = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
        self.send_response(403)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_HEAD = do_GET


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "PAUSE_SECONDS", 0.01)


def test_a_glob_is_tried_again(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"sa_{number}.tar").write_bytes(b"x")
    with serving(tmp_path, Ranged, sent=Counter(), failing=[2]) as (host, handler):
        urls = expand(f"http://{host}/sa_*.tar")
        assert urls == [f"http://{host}/sa_{number}.tar" for number in range(3)]
        assert handler.failing == [0]
        handler.failing[0] = 1000
        with pytest.raises(SourceError, match=rf"cannot list http://{host}/.*answered 503"):
            expand(f"http://{host}/sa_*.tar")


def test_a_glob_that_is_refused_is_said_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = tmp_path / "manifest.yaml"
    with serving(tmp_path, Refusing) as (host, _):
        settings = {"endpoint_url": f"http://{host}", "key": "key", "secret": "secret"}
        monkeypatch.setitem(fsspec.config.conf, "s3", settings)
        for source in (
            {"type": "sa1b", "tars": "s3://bucket/sa_*.tar"},
            {"type": "sa1b", "pictures": "s3://bucket/*/pictures"},
            {"type": "tars", "tars": "s3://bucket/{a,b}_*.tar"},
            {"type": "folder", "pictures": "s3://bucket/pictures"},
        ):
            document = {"name": "x", "sources": [source], "proxies": [{"type": "edge"}]}
            manifest.write_text(json.dumps(document))
            with pytest.raises(SystemExit) as ended:
                main(["build", str(manifest), "--output", str(tmp_path / "out"), "--dry-run"])
            assert ended.value.code == 1
            told = capsys.readouterr().err
            assert "cannot list s3://bucket/" in told
            assert "Traceback" not in told
            assert len(told.splitlines()) < 8
    fsspec.get_filesystem_class("s3").clear_instance_cache()


def absent(monkeypatch: pytest.MonkeyPatch, protocol: str) -> None:
    """Let the package of a protocol be missing."""
    registry = sys.modules["fsspec.registry"]
    monkeypatch.delitem(registry._registry, protocol, raising=False)
    missing = {"class": "no_such_package.FileSystem", "err": "no_such_package is not installed"}
    monkeypatch.setitem(registry.known_implementations, protocol, missing)


@pytest.mark.parametrize("tars", ["gs://bucket/sa_*.tar", "gs://bucket/sa_0.tar"])
def test_a_missing_package_is_named_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tars: str
) -> None:
    absent(monkeypatch, "gs")
    monkeypatch.setattr(retries, "PAUSE_SECONDS", 60.0)
    manifest = tmp_path / "manifest.yaml"
    source = {"type": "sa1b", "tars": tars}
    manifest.write_text(
        json.dumps({"name": "x", "sources": [source], "proxies": [{"type": "mae"}]})
    )
    began = time.monotonic()
    with pytest.raises(SystemExit) as ended:
        main(["build", str(manifest), "--output", str(tmp_path / "out")])
    assert time.monotonic() - began < 30
    assert ended.value.code == 2
    assert "pip install 'sgt-data[gs]'" in capsys.readouterr().err


def test_a_node_that_lacks_a_package_fails_its_slices_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = fsspec.filesystem("memory")
    for number in range(6):
        far.pipe_file(f"/lacking/{number}.jpg", jpeg(64, 48, number))
    source: dict[str, Any] = {"type": "folder", "pictures": "memory://lacking"}

    def list_then_lack(manifest: Manifest) -> Listing:
        listing = list_inputs(manifest)
        absent(monkeypatch, "memory")
        return listing

    try:
        monkeypatch.setattr(build, "list_inputs", list_then_lack)
        report = built(tmp_path / "out", source, [{"type": "mae"}])
    finally:
        far.rm("/lacking", recursive=True)
    assert len(report.failures) == 2
    assert "no_such_package is not installed" in report.failures[0].message


def test_tars_of_a_store_with_errors_are_the_tars(tmp_path: Path) -> None:
    (tmp_path / "sa_0.tar").write_bytes(tar_of(sa1b_members(3)))
    with serving(tmp_path, Ranged, sent=Counter(), failing=[1]) as (host, handler):
        source = {"type": "sa1b", "tars": f"http://{host}/sa_*.tar"}
        assert built(tmp_path / "out", source).succeeded
        assert handler.failing == [0]
