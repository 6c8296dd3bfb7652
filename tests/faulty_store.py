"""An S3 server that answers badly: moto's, behind faults that are drawn from a seed.

It runs in a process of its own, which workers of other processes reach. `PUT /.faults` changes what
it does, `GET /.faults` tells what it did.
"""

from __future__ import annotations

import json
import random
import re
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from typing import Any

CONTROL = "/.faults"

STATUSES = {"500": "InternalError", "503": "ServiceUnavailable", "403": "AccessDenied"}
KINDS = (*STATUSES, "stall", "reset", "short", "length")
"""An error status; no answer; a connection that breaks, before or after the request took effect; a
body that ends too early; a Content-Length of less than there is."""

_CONTENTS = re.compile(rb"<Contents>.*?</Contents>", re.DOTALL)
_KEY = re.compile(rb"<Key>(.*?)</Key>")


@dataclass
class Faults:
    """What the store does.

    Attributes:
        share: of the requests that are answered badly.
        kinds: of these answers.
        seed: of the choice.
        stall_seconds: how long a request stays without an answer before its connection ends.
        late_seconds: how long an object is left out of listings.
        hidden: pattern of `/bucket/key` of objects that no listing shows.
        is_out: every connection breaks.
        held: pattern of `METHOD /bucket/key`; such requests wait while it is set.
        at_most: faults in all.
        only: pattern of `METHOD /bucket/key` of the requests that are answered badly.
    """

    share: float = 0.0
    kinds: tuple[str, ...] = KINDS
    seed: int = 0
    stall_seconds: float = 4.0
    late_seconds: float = 0.0
    hidden: str = ""
    is_out: bool = False
    held: str = ""
    at_most: int = 1 << 30
    only: str = ""


@dataclass
class Done:
    """What the store did.

    Attributes:
        requests: by method.
        faults: by kind.
        holding: requests that wait now: `METHOD /bucket/key`, and the port of who asks.
        hidden: objects that were left out of listings.
    """

    requests: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    holding: list[tuple[str, int]] = field(default_factory=list)
    hidden: int = 0


class Store:
    """The server, as a test sees it.

    Attributes:
        url: of its endpoint.
    """

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def set(self, **faults: Any) -> None:
        """Answer so from now on; what is not named is answered well."""
        body = json.dumps(asdict(Faults(**faults))).encode()
        request = urllib.request.Request(self.url + CONTROL, body, method="PUT")
        urllib.request.urlopen(request, timeout=60).close()

    def done(self) -> Done:
        """What it did until now."""
        with urllib.request.urlopen(self.url + CONTROL, timeout=60) as answer:
            told = json.load(answer)
        told["requests"], told["faults"] = Counter(told["requests"]), Counter(told["faults"])
        return Done(**told)

    def settings(self, read_timeout: float = 2.0) -> dict[str, Any]:
        """What fsspec needs to reach it."""
        return {
            "endpoint_url": self.url, "key": "key", "secret": "secret",
            "config_kwargs": {"read_timeout": read_timeout, "connect_timeout": 5},
        }  # fmt: skip

    def environment(self) -> dict[str, str]:
        """The same for other processes, as environment variables."""
        return {"FSSPEC_S3": json.dumps(self.settings())}


@contextmanager
def running_store() -> Iterator[Store]:
    """A store in a process of its own, without faults at first."""
    with subprocess.Popen(
        [sys.executable, __file__],
        stdout=subprocess.PIPE, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as server:  # fmt: skip
        assert server.stdout is not None
        try:
            yield Store(int(server.stdout.readline()))
        finally:
            server.kill()


def serve() -> None:
    """Serve until standard input ends, with the process that asked."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

    app = DomainDispatcherApplication(create_backend_app)
    lock = threading.Lock()
    faults, done, dice = Faults(), Done(), random.Random(0)
    put_at: dict[str, float] = {}
    refused: set[str] = set()

    class Handler(WSGIRequestHandler):
        def log(self, *_: Any) -> None:
            pass

        def run_wsgi(self) -> None:
            if self.path == CONTROL:
                self._control()
                return
            place = f"{self.command} {self.path}"
            with lock:
                done.requests[self.command] += 1
                kind = self._drawn(place) if re.search(faults.only, place) else ""
            if faults.is_out:
                self._break()
                return
            self._wait(place)
            if kind in STATUSES:
                self._read_body()
                name = STATUSES[kind]
                self._send(int(kind), {}, f"<Error><Code>{name}</Code></Error>".encode())
                return
            if kind == "stall":
                time.sleep(faults.stall_seconds)
                self._break()
                return
            is_get = self.command == "GET"
            if (kind == "reset" or (kind and not is_get)) and dice.random() < 0.5:
                self._break()  # before it took effect
                return
            status, headers, body = self._answer()
            if kind == "reset" or (kind and not is_get):
                self._break()
            elif kind:
                half = len(body) // 2
                claimed = half if kind == "length" else len(body)
                self._send(status, headers, body[:half] if kind == "short" else body, claimed)
            else:
                self._send(status, headers, body)

        def _drawn(self, place: str) -> str:
            if sum(done.faults.values()) >= faults.at_most or dice.random() >= faults.share:
                return ""
            kind = dice.choice(faults.kinds)
            if kind == "403" and len(faults.kinds) > 1:  # three in a row of one object are final
                kind = "503" if place in refused else kind
                refused.add(place)
            done.faults[kind] += 1
            return kind

        def _wait(self, place: str) -> None:
            if not faults.held or not re.search(faults.held, place):
                return
            held = (place, self.client_address[1])
            with lock:
                done.holding.append(held)
            while faults.held and re.search(faults.held, place):
                time.sleep(0.02)
            with lock:
                done.holding.remove(held)

        def _answer(self) -> tuple[int, Mapping[str, str], bytes]:
            begun: list[Any] = []

            def start(status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
                begun[:] = [int(status.split()[0]), dict(headers)]

            body = b"".join(app(self.make_environ(), start))
            status, headers = begun
            name = self.path.partition("?")[0]
            if self.command in ("PUT", "POST") and status < 300:
                put_at.setdefault(name, time.monotonic())
            if self.command == "DELETE":
                put_at.pop(name, None)
            if self.command == "GET" and "list-type=2" in self.path:
                body = _CONTENTS.sub(lambda each: self._listed(each, name), body)
            return status, headers, body

        def _listed(self, entry: re.Match[bytes], bucket: str) -> bytes:
            key = _KEY.search(entry[0])
            assert key is not None
            place = f"{bucket.rstrip('/')}/{key[1].decode()}"
            is_listed = time.monotonic() - put_at.get(place, 0.0) >= faults.late_seconds
            if is_listed and not (faults.hidden and re.search(faults.hidden, place)):
                return entry[0]
            done.hidden += 1
            return b""

        def _send(
            self, status: int, headers: Mapping[str, str], body: bytes, claimed: int | None = None
        ) -> None:
            self.send_response(status)
            is_head = self.command == "HEAD"
            for name, value in headers.items():
                if name.lower() not in ("content-length", "connection", "date", "server"):
                    self.send_header(name, value)
            length = len(body) if claimed is None else claimed
            if is_head and "Content-Length" in headers:
                length = int(headers["Content-Length"])
            self.send_header("Content-Length", str(length))
            if claimed is not None:
                self.send_header("Connection", "close")
                self.close_connection = True
            self.end_headers()
            if not is_head:
                self.wfile.write(body)

        def _read_body(self) -> None:
            left = int(self.headers.get("Content-Length") or 0)
            while left > 0 and (data := self.rfile.read(min(left, 1 << 20))):
                left -= len(data)

        def _break(self) -> None:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()

        def _control(self) -> None:
            nonlocal dice
            with lock:
                if self.command == "PUT":
                    length = int(self.headers["Content-Length"])
                    for name, value in json.loads(self.rfile.read(length)).items():
                        setattr(faults, name, value)
                    dice = random.Random(faults.seed)
                body = json.dumps(vars(done)).encode()
            self._send(200, {}, body)

        def handle(self) -> None:
            with suppress(OSError, ValueError):  # a client that hangs up is no news
                super().handle()

    server = ThreadedWSGIServer("127.0.0.1", 0, app, Handler)
    server.daemon_threads = True
    Handler.protocol_version = "HTTP/1.1"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    serve()
