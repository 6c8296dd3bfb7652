"""A file server in this process: with or without byte ranges, passwords and signatures."""

from __future__ import annotations

import base64
import gzip
import http.server
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


class Files(http.server.SimpleHTTPRequestHandler):
    """As `python -m http.server`: folders as lists of links, a range answered with the whole file.

    Attributes:
        given: whole files that were sent, by path.
    """

    protocol_version = "HTTP/1.1"
    given: Counter[str]

    def do_GET(self) -> None:
        self.given[urlsplit(self.path).path] += 1
        super().do_GET()

    def log_message(self, *arguments: Any) -> None:
        pass


class Locked(Files):
    """Answers ranges, and 403 to who has neither password nor signature.

    Attributes:
        keys: what opens the server: `user:password`, or a query.
    """

    keys: set[str]

    def do_HEAD(self) -> None:
        if self._allowed():
            super().do_HEAD()

    def do_GET(self) -> None:
        place = Path(self.translate_path(self.path))
        if not self._allowed():
            return
        asked = self.headers.get("Range")
        if not asked or not place.is_file():
            super().do_GET()
            return
        first, last = asked.removeprefix("bytes=").split("-")
        data = place.read_bytes()
        part = data[int(first) : int(last) + 1 if last else None]
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {first}-{int(first) + len(part) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part)

    def _allowed(self) -> bool:
        sent = self.headers.get("Authorization", "").removeprefix("Basic ")
        given = {base64.b64decode(sent).decode(), urlsplit(self.path).query}
        if not given & self.keys:
            self.send_error(403)
        return bool(given & self.keys)


class Ranged(Files):
    """Answers ranges, and counts what it is asked and what it sends.

    Attributes:
        sent: bytes of answers by path; the number of requests is `given`.
        failing: how many of the next requests are answered 503.
    """

    sent: Counter[str]
    failing: list[int]

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if self.failing and self.failing[0]:
            self.failing[0] -= 1
            self.send_error(503)
            return
        place, asked = Path(self.translate_path(self.path)), self.headers.get("Range")
        if not asked or not place.is_file():
            self.sent[path] += place.stat().st_size if place.is_file() else 0
            super().do_GET()
            return
        self.given[path] += 1
        first, last = (int(number) for number in asked.removeprefix("bytes=").split("-"))
        with place.open("rb") as file:
            file.seek(first)
            part = file.read(last - first + 1)
        self.sent[path] += len(part)
        self.send_response(206)
        whole = place.stat().st_size
        self.send_header("Content-Range", f"bytes {first}-{first + len(part) - 1}/{whole}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part)


class Odd(Files):
    """Knows no ranges, and has a peculiarity of servers that people meet.

    Attributes:
        peculiarity: `head refused`, `head wrong` (another Content-Length), `packed` (gzip, though
            nobody asked for it), `chunked` (no Content-Length), `redirect`, or none.
    """

    peculiarity: str = ""

    def do_HEAD(self) -> None:
        if self.peculiarity == "head refused":
            self.send_error(405)
        elif self.peculiarity == "head wrong":
            self.send_response(200)
            self.send_header("Content-Length", "17")
            self.end_headers()
        else:
            super().do_HEAD()

    def do_GET(self) -> None:
        place = Path(self.translate_path(self.path))
        if self.peculiarity == "redirect" and not self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("Location", f"/moved{self.path}")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.peculiarity == "packed" and place.is_file():
            self._give(gzip.compress(place.read_bytes(), 1), encoding="gzip")
        elif self.peculiarity == "chunked" and place.is_file():
            self.given[urlsplit(self.path).path] += 1
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            body = place.read_bytes()
            self.wfile.write(f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n")
        else:
            super().do_GET()

    def translate_path(self, path: str) -> str:
        return super().translate_path(path.removeprefix("/moved"))

    def _give(self, body: bytes, encoding: str) -> None:
        self.given[urlsplit(self.path).path] += 1
        self.send_response(200)
        self.send_header("Content-Encoding", encoding)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news."""


@contextmanager
def serving(folder: Path, kind: type[Files] = Files, **fields: Any) -> Iterator[tuple[str, Any]]:
    """`127.0.0.1:PORT`, and the handler, whose fields may be changed."""
    handler = type("Handler", (kind,), {"given": Counter(), **fields})
    server = _Server(("127.0.0.1", 0), partial(handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}", handler
    finally:
        server.shutdown()
        server.server_close()
