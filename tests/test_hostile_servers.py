"""Servers that send more than was asked for, or list folders without end."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from sgt_data.errors import RequestError
from sgt_data.files import http_listing
from sgt_data.files.reading import list_files, read_range

_MORE_BYTES = 64 << 20


class _Endless(http.server.BaseHTTPRequestHandler):
    """Every folder leads to two more; every range is answered with more bytes than were asked for.

    Attributes:
        sent: bytes of the last answer that the client took.
    """

    protocol_version = "HTTP/1.0"
    sent = 0

    def do_GET(self) -> None:
        is_folder = self.path.endswith("/")
        self.send_response(200 if is_folder else 206)
        self.send_header("Content-Type", "text/html")
        if not is_folder:
            self.send_header("Content-Range", "bytes 0-9/10")
        self.end_headers()
        if is_folder:
            page = '<title>Index of</title><a href="a/">a</a><a href="b/">b</a>'
            self.wfile.write(page.encode())
            return
        try:
            for _ in range(_MORE_BYTES >> 16):
                self.wfile.write(bytes(1 << 16))
                type(self).sent += 1 << 16
        except OSError:  # the client hung up
            return

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture
def endless() -> Iterator[str]:
    _Endless.sent = 0
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Endless)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_folders_without_end_are_given_up(endless: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_listing, "FOLDERS_MAX", 40)
    with pytest.raises(RequestError, match="more than 40 folders lie below it"):
        list_files(f"{endless}/x/")


def test_a_page_without_end_is_given_up(endless: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_listing, "PAGE_BYTES_MAX", 20)
    with pytest.raises(RequestError, match="its page has more than 20 bytes"):
        list_files(f"{endless}/x/")


def test_of_an_answer_no_more_is_taken_than_was_asked_for(endless: str) -> None:
    assert read_range(f"{endless}/x.tar", 0, 10) == bytes(10)
    assert _Endless.sent < _MORE_BYTES
