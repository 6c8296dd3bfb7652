"""The server of `sgt-data view`: for this machine alone, read-only, and within the corpus."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from viewed import ATTACK, write_hostile

from sgt_data import Viewer, serve_corpus
from sgt_data.errors import RequestError
from sgt_data.view.page_files import SCRIPTS


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_hostile(tmp_path_factory.mktemp("hostile") / "corpus")


@pytest.fixture(scope="module")
def viewer(corpus: str) -> Iterator[Viewer]:
    with serve_corpus(corpus) as serving:
        yield serving


def ask(
    viewer: Viewer, path: str, method: str = "GET", secret: bool = True, **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """An answer to a path as it is typed: `http.client` does not tidy it up."""
    url = urlsplit(viewer.url)
    connection = http.client.HTTPConnection("127.0.0.1", url.port or 0, timeout=30)
    whole = (url.path.rstrip("/") if secret else "") + path
    connection.request(method, whole, headers={k.replace("_", "-"): v for k, v in headers.items()})
    response = connection.getresponse()
    answer = response.status, response.headers, response.read()
    connection.close()
    return answer


def test_the_page_and_its_files_are_served(viewer: Viewer) -> None:
    status, headers, page = ask(viewer, "/")
    assert status == 200 and headers["Content-Type"].startswith("text/html")
    loaded = re.findall(r'(?:src|href)="([^"#]+)"', page.decode())
    assert len(loaded) == len(SCRIPTS) + 2
    for name in loaded:
        assert ask(viewer, f"/{name}")[0] == 200, name


def test_nothing_may_be_loaded_from_elsewhere(viewer: Viewer) -> None:
    for path in ("/", "/page/main.js", "/data/overview", "/no-such-address"):
        _, headers, _ = ask(viewer, path)
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy and "http" not in policy and "*" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_only_the_loopback_interface_is_listened_on(viewer: Viewer) -> None:
    url = urlsplit(viewer.url)
    assert url.hostname == "127.0.0.1"
    with socket.socket() as other, pytest.raises(OSError):
        other.connect(("127.0.0.2", url.port))


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_than_reading_are_refused(viewer: Viewer, method: str) -> None:
    assert ask(viewer, "/data/overview", method)[0] == 405


@pytest.mark.parametrize(
    "host", ["corpus.example", "127.0.0.1.corpus.example", "192.168.1.7:80", "", "a b", "[::1"]
)
def test_another_host_is_refused(viewer: Viewer, host: str) -> None:
    """A site whose name leads to this machine (DNS rebinding) shows its own name."""
    status, _, body = ask(viewer, "/data/overview", Host=host)
    assert status in (400, 403) and b"hostile" not in body


@pytest.mark.parametrize("host", ["localhost:9000", "127.0.0.1:1", "[::1]:8000", "LOCALHOST"])
def test_a_forwarded_port_is_answered(viewer: Viewer, host: str) -> None:
    assert ask(viewer, "/data/overview", Host=host)[0] == 200


def test_other_sites_are_refused(viewer: Viewer) -> None:
    assert ask(viewer, "/data/overview", Origin="https://corpus.example")[0] == 403
    assert ask(viewer, "/data/overview", Origin="null")[0] == 403
    assert ask(viewer, "/data/overview", Sec_Fetch_Site="cross-site")[0] == 403
    opened = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}
    assert ask(viewer, "/", **opened)[0] == 200, "a link of a notebook may lead to the page"


def test_other_users_of_the_machine_are_refused(viewer: Viewer) -> None:
    """Who does not know the printed address gets nothing, not even the page."""
    for path in ("/", "/data/overview", "/page/main.js", "/0123456789abcdef01234567/data/overview"):
        status, _, body = ask(viewer, path, secret=False)
        assert status == 404 and b"hostile" not in body
    assert len(urlsplit(viewer.url).path.strip("/")) >= 24


PLACE = "picture/segmentation/made-s-00000/made_0"


@pytest.mark.parametrize(
    "path",
    [
        "/page/../server.py",
        "/page/..%2fserver.py",
        "/page/%2e%2e%2f%2e%2e%2fserver.py",
        "/../../../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        f"/{PLACE}/../../../corpus.json",
        f"/{PLACE}/..%2f..%2f..%2fcorpus.json",
        f"/{PLACE}/facts",
        "/picture/..%2f..%2f/x/y/target",
        "/picture/segmentation/..%2f..%2fcorpus.json/made_0/target",
        "/picture/segmentation/made-s-00000/..%2f..%2fmade_0/target",
        "/picture/segmentation/made-s-00000/made_0%00/target",
        "/picture/segmentation/made-s-00000/no_such_key/target",
        "/picture/segmentation/no-such-shard/made_0/target",
        "/picture/index/made-s-00000/made_0/target",
        f"/{quote('file:///etc/passwd', safe='')}",
    ],
)
def test_no_path_leads_out_of_the_corpus(viewer: Viewer, path: str) -> None:
    status, _, body = ask(viewer, path)
    assert status in (400, 404), path
    assert b"root:" not in body and b"import" not in body and b"format" not in body


def test_pictures_are_the_stored_bytes_with_their_kind(viewer: Viewer) -> None:
    status, headers, body = ask(viewer, f"/{PLACE}/target")
    assert (status, headers["Content-Type"]) == (200, "image/png") and body.startswith(b"\x89PNG")
    assert ask(viewer, f"/{PLACE}/input")[1]["Content-Type"] == "image/jpeg"


def test_wrong_questions_get_words(viewer: Viewer) -> None:
    for path, name in (
        ("/data/samples?proxy=segmentation&least=many", "least"),
        ("/data/samples?proxy=other", "proxy"),
        ("/data/sample?proxy=segmentation&shard=made-s-00000&key=none", "none"),
    ):
        status, _, body = ask(viewer, path)
        assert status == 400 and name in json.loads(body)["problem"]
    assert ask(viewer, f"/data/samples?proxy=segmentation&text={'x' * 20_000}")[0] in (400, 414)


def test_hostile_texts_travel_as_json_alone(viewer: Viewer) -> None:
    status, headers, body = ask(viewer, "/data/samples?proxy=segmentation")
    assert status == 200 and headers["Content-Type"].startswith("application/json")
    assert json.loads(body)["items"][0]["instruction"].endswith(ATTACK)


def test_a_port_that_is_taken_is_refused_in_words(viewer: Viewer, corpus: str) -> None:
    port = urlsplit(viewer.url).port or 0
    with pytest.raises(RequestError, match=rf"port: found {port}, .*give another"):
        serve_corpus(corpus, port=port)


def test_a_closed_viewer_answers_no_more(corpus: str) -> None:
    viewer = serve_corpus(corpus)
    assert ask(viewer, "/")[0] == 200
    viewer.close()
    viewer.close()
    with pytest.raises(OSError):
        ask(viewer, "/")


def _hear_ctrl_c() -> None:
    """A shell lets what it starts in the background ignore Ctrl-C, and so do its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_the_command_prints_its_address_and_ends_with_ctrl_c(corpus: str) -> None:
    command = [sys.executable, "-m", "sgt_data", "view", corpus, "--no-open"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=_hear_ctrl_c,
    ) as serving:  # fmt: skip
        assert serving.stdout is not None and serving.stderr is not None
        address = serving.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[0-9a-f]{24}/", address)
        serving.send_signal(signal.SIGINT)
        try:
            assert serving.wait(timeout=60) == 0
        finally:
            serving.kill()  # or the end of the block would wait for it
        told = serving.stderr.read()
    assert "Traceback" not in told and f"next: sgt-data report {corpus}" in told


def test_nothing_is_written_into_the_corpus(viewer: Viewer, corpus: str) -> None:
    before = {path: path.stat().st_mtime_ns for path in Path(corpus).rglob("*")}
    for path in ("/data/counts?proxy=segmentation", "/data/distributions?proxy=segmentation",
                 "/data/reasons", f"/{PLACE}/input"):  # fmt: skip
        assert ask(viewer, path)[0] == 200
    assert {path: path.stat().st_mtime_ns for path in Path(corpus).rglob("*")} == before
