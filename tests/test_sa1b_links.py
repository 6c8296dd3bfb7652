"""SA-1B by Meta's list of signed links: expiring, unsorted, served over HTTP as it comes."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from making import built, check_accounts, files_in, manifest_of, sa1b_pair, samples_in, tar_of

from sgt_data.engine.listing import list_inputs
from sgt_data.errors import RequestError, SourceError
from sgt_data.files import forward_reader, retries

SECRET = "Signature=aBc123SECRET&Expires=99"


@dataclass
class Server:
    """Files over HTTP on this machine, with the faults that a test asks for."""

    files: dict[str, bytes] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    ranges: bool = True
    heads: bool = True
    break_once: set[str] = field(default_factory=set)
    fail_once: dict[str, int] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    port: int = 0

    def link(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/{name}?{SECRET}"

    def answer(self, request: BaseHTTPRequestHandler, *, body: bool) -> None:
        name = urlsplit(request.path).path.lstrip("/")
        self.asked.append((request.command, name))
        status = self.refused.get(name) or self.fail_once.pop(name, None)
        if name not in self.files or status or not (body or self.heads):
            request.send_response(status or (404 if name not in self.files else 405))
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        data = self.files[name]
        byte_range = request.headers.get("Range")
        if byte_range and self.ranges:
            first, _, last = byte_range.removeprefix("bytes=").partition("-")
            end = min(int(last) if last else len(data) - 1, len(data) - 1)
            request.send_response(206)
            request.send_header("Content-Range", f"bytes {first}-{end}/{len(data)}")
            data = data[int(first) : end + 1]
        else:
            request.send_response(200)
        if self.ranges:
            request.send_header("Accept-Ranges", "bytes")
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        if not body:
            return
        if name in self.break_once and len(data) > 5000:
            self.break_once.discard(name)
            request.wfile.write(data[: len(data) // 2])
            request.wfile.flush()
            request.close_connection = True
            request.connection.shutdown(2)
            return
        request.wfile.write(data)


@pytest.fixture
def server() -> Iterator[Server]:
    served = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            served.answer(self, body=True)

        def do_HEAD(self) -> None:
            served.answer(self, body=False)

        def log_message(self, format: str, *args: Any) -> None:
            return

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.port = http.server_address[1]
    thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield served
    http.shutdown()
    http.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "PAUSE_SECONDS", 0.01)


NAMES = ["sa_000000.tar", "sa_000001.tar", "sa_000002.tar"]
PAIRS = {
    name: [member for n in range(1, 4) for member in sa1b_pair(10 * index + n)]
    for index, name in enumerate(NAMES)
}
TARS = {name: tar_of(members) for name, members in PAIRS.items()}
KEYS = sorted(f"sa1b_{10 * index + n}" for index in range(3) for n in range(1, 4))


def write_links(
    server: Server, place: Path, names: list[str], header: bool = True
) -> dict[str, Any]:
    lines = ["file_name\tcdn_link"] if header else []
    lines += [f"{name}\t{server.link(name)}" for name in names]
    place.write_text("\n".join(lines) + "\n")
    return {"type": "sa1b", "links": str(place)}


def local(root: Path) -> dict[str, Any]:
    root.mkdir()
    for name, body in TARS.items():
        (root / name).write_bytes(body)
    return {"type": "sa1b", "tars": str(root / "sa_*.tar")}


def shards_in(root: Path) -> dict[str, bytes]:
    """Everything that does not name the source's place."""
    kept = ("entity/", "index/", "quarantine/")
    return {name: body for name, body in files_in(root).items() if name.startswith(kept)}


def test_a_list_in_any_order_gives_the_same_shards_as_local_tars(
    tmp_path: Path, server: Server
) -> None:
    server.files = dict(TARS)
    built(tmp_path / "local", local(tmp_path / "tars"))
    source = write_links(server, tmp_path / "links.txt", [NAMES[2], NAMES[0], NAMES[1]])
    report = built(tmp_path / "out", source)
    assert report.complete
    check_accounts(tmp_path / "out", report)
    assert sorted(samples_in(tmp_path / "out")) == KEYS
    assert shards_in(tmp_path / "out") == shards_in(tmp_path / "local")
    unsorted = write_links(server, tmp_path / "links2.txt", NAMES, header=False)
    built(tmp_path / "out2", unsorted)
    assert shards_in(tmp_path / "out2") == shards_in(tmp_path / "local")


@pytest.mark.parametrize("body", [TARS[NAMES[1]][:7000], b"<html>sign in</html>" * 99])
def test_what_a_link_gives_in_place_of_a_whole_tar_fails_its_slice_until_it_is_whole(
    tmp_path: Path, server: Server, body: bytes
) -> None:
    """Served as a whole: neither its length nor its status tells."""
    server.files = TARS | {NAMES[1]: body}
    source = write_links(server, tmp_path / "links.txt", NAMES)
    report = built(tmp_path / "out", source)
    assert [failure.part for failure in report.failures] == ["sa1b/sa_000001"]
    assert "Fetch the tar again" in report.failures[0].message
    assert SECRET not in report.failures[0].message
    check_accounts(tmp_path / "out", report)
    server.files = dict(TARS)
    assert built(tmp_path / "out", source).succeeded
    assert built(tmp_path / "undisturbed", source).succeeded
    assert files_in(tmp_path / "out") == files_in(tmp_path / "undisturbed")


class ClosedEarly(io.BytesIO):
    """A remote file whose connection ends in good order after a part of it."""

    size = 100


def test_a_connection_that_closes_before_the_size_is_no_end_of_the_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Remote:
        protocol = "far"

        def open(self, path: str, mode: str, **options: Any) -> ClosedEarly:
            return ClosedEarly(bytes(60))

    monkeypatch.setattr(forward_reader, "open_filesystem", lambda url: (Remote(), url))
    reader = forward_reader.ForwardReader("far://sa_0.tar")
    assert reader.read(60) == bytes(60)
    with pytest.raises(SourceError, match="60 bytes came of 100"):
        reader.read(1)


def test_names_choose_among_links(tmp_path: Path, server: Server) -> None:
    server.files = dict(TARS)
    source = write_links(server, tmp_path / "links.txt", NAMES[::-1])
    plan = list_inputs(manifest_of(source | {"names": "sa_{000000..000001}.tar"}))
    assert [piece.name for piece in plan.slices] == ["sa_000000", "sa_000001"]
    with pytest.raises(RequestError, match=r"sa_000003\.tar is not in"):
        list_inputs(manifest_of(source | {"names": "sa_{000000..000003}.tar"}))


@pytest.mark.parametrize("status", [403, 404, 410, 500])
def test_an_expired_link_fails_its_slice_alone_and_a_fresh_list_completes(
    tmp_path: Path, server: Server, status: int
) -> None:
    server.files = dict(TARS)
    server.refused = {NAMES[1]: status}
    place = tmp_path / "links.txt"
    report = built(tmp_path / "out", write_links(server, place, NAMES))
    assert not report.complete
    assert [failure.part for failure in report.failures] == ["sa1b/sa_000001"]
    message = report.failures[0].message
    assert message.startswith(NAMES[1])
    assert "fetch a fresh list" in message
    if status != 404:
        assert str(status) in message
    assert "SECRET" not in message
    assert "Signature" not in message
    assert {key.split("_")[1][:-1] for key in samples_in(tmp_path / "out")} == {"", "2"}

    for name, body in files_in(tmp_path / "out").items():
        assert b"SECRET" not in body, name

    server.refused = {}
    before = files_in(tmp_path / "out")
    server.asked.clear()
    report = built(tmp_path / "out", write_links(server, place, NAMES[::-1]))
    assert report.complete
    assert sorted(samples_in(tmp_path / "out")) == KEYS
    check_accounts(tmp_path / "out", report)
    after = files_in(tmp_path / "out")
    assert {name for name in before if after[name] != before[name]} == {"corpus.json"}
    assert {name for _, name in server.asked} == {NAMES[1]}, "finished tars are not fetched again"
    built(tmp_path / "local", local(tmp_path / "tars"))
    assert shards_in(tmp_path / "out") == shards_in(tmp_path / "local")


def test_a_build_says_nothing_of_links_anywhere(
    tmp_path: Path, server: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    server.files = dict(TARS)
    server.refused = {NAMES[0]: 403}
    built(tmp_path / "out", write_links(server, tmp_path / "links.txt", NAMES))
    captured = capfd.readouterr()
    assert "SECRET" not in captured.out + captured.err


@pytest.mark.parametrize(
    ("ranges", "heads"), [(True, True), (True, False), (False, True), (False, False)]
)
@pytest.mark.parametrize("broken", [False, True])
def test_any_server_and_a_broken_connection_are_survived(
    tmp_path: Path, server: Server, ranges: bool, heads: bool, broken: bool
) -> None:
    server.files = dict(TARS)
    server.ranges, server.heads = ranges, heads
    if broken:
        server.break_once = set(NAMES)
    report = built(tmp_path / "out", write_links(server, tmp_path / "links.txt", NAMES))
    assert report.complete, report.failures
    assert not server.break_once or not broken
    assert sorted(samples_in(tmp_path / "out")) == KEYS
    built(tmp_path / "local", local(tmp_path / "tars"))
    assert shards_in(tmp_path / "out") == shards_in(tmp_path / "local")


@pytest.mark.parametrize("status", [500, 503, 429, 408])
def test_a_passing_fault_of_the_server_is_tried_again(
    tmp_path: Path, server: Server, status: int
) -> None:
    server.files = dict(TARS)
    server.fail_once = dict.fromkeys(NAMES, status)
    report = built(tmp_path / "out", write_links(server, tmp_path / "links.txt", NAMES))
    assert report.complete, report.failures
    assert sorted(samples_in(tmp_path / "out")) == KEYS


def test_a_tar_that_vanishes_from_the_list_while_building_fails_its_slice_alone(
    tmp_path: Path, server: Server
) -> None:
    server.files = dict(TARS)
    place = tmp_path / "links.txt"
    manifest = manifest_of(write_links(server, place, NAMES))
    plan = list_inputs(manifest)
    write_links(server, place, NAMES[:1])
    source = manifest.typed_sources()[0]
    with pytest.raises(SourceError, match=r"sa_000001\.tar"):
        list(source.read(plan.slices[1], 4, ()))


WRONG: dict[str, tuple[Callable[[str], str], str]] = {
    "spaces for a tab": (lambda link: f"file_name\tcdn_link\nsa_000000.tar {link}\n", "line 2"),
    "three cells": (lambda link: f"sa_000000.tar\t{link}\tmore\n", "line 1"),
    "no link": (lambda link: f"file_name\tcdn_link\n\nsa_0.tar\t{link}\nsa_1.tar\tx\n", "line 4"),
    "a page of html": (lambda link: "<html>Sign in</html>\n", "line 1"),
    "nothing": (lambda link: "", "lists no tar"),
    "a header alone": (lambda link: "file_name\tcdn_link\n", "lists no tar"),
    "no tar": (lambda link: f"sa_000000.zip\t{link}\n", "lists no tar"),
    "a path": (lambda link: f"../sa_000000.tar\t{link}\n", "lists no tar"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_list_is_refused_with_its_line(tmp_path: Path, server: Server, name: str) -> None:
    text, reason = WRONG[name]
    place = tmp_path / "links.txt"
    place.write_text(text(server.link("sa_000000.tar")))
    with pytest.raises(RequestError, match=reason) as caught:
        built(tmp_path / "out", {"type": "sa1b", "links": str(place)})
    assert "SECRET" not in str(caught.value)
    assert str(place) in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_list_with_windows_line_ends_is_read(tmp_path: Path, server: Server) -> None:
    server.files = dict(TARS)
    source = write_links(server, tmp_path / "links.txt", NAMES)
    place = tmp_path / "links.txt"
    place.write_bytes(b"\xef\xbb\xbf" + place.read_bytes().replace(b"\n", b"\r\n"))
    report = built(tmp_path / "out", source)
    assert report.complete
    assert sorted(samples_in(tmp_path / "out")) == KEYS
