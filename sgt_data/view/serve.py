"""Serve a corpus to the browser of this machine."""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from aiohttp import web

from sgt_data import checks
from sgt_data.errors import RequestError
from sgt_data.files.urls import Location
from sgt_data.foreign_errors import in_words
from sgt_data.view.answers import Answers
from sgt_data.view.open_collection import open_collection
from sgt_data.view.server import application

LOOPBACK = "127.0.0.1"
_THREADS = 12
_SECRET_BYTES = 12
_CLOSE_SECONDS = 2.0


class Viewer:
    """A server in a thread of its own, which ends with `close` or with its context.

    Attributes:
        url: the address of the page. Its first part is a secret, so that other users of this
            machine cannot read the corpus through it.
        title: name of what is shown.
    """

    def __init__(self, answers: Answers, port: int) -> None:
        """Start to serve; `serve_corpus` makes it."""
        self.title = str(answers.overview()["title"])
        self._loop = asyncio.new_event_loop()
        self._ended = threading.Event()
        self._secret = os.urandom(_SECRET_BYTES).hex()
        self._threads = ThreadPoolExecutor(_THREADS, "view")
        app = application(answers, self._secret, self._threads)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)
        address: Future[str] = Future()
        # a loop of its own in a thread of its own: notebooks have one that runs already
        self._thread = threading.Thread(
            target=self._serve, args=(port, address), name="view", daemon=True
        )
        self._thread.start()
        try:
            self.url = address.result()
        except OSError as why:
            self._thread.join()
            raise RequestError(
                f"port: found {port}, which cannot be listened on: {in_words(why)}; give another "
                "one, or none for any that is free"
            ) from why

    def wait(self) -> None:
        """Wait until the server is closed, or the wait is interrupted."""
        while not self._ended.wait(0.5):  # a wait without end could not be interrupted everywhere
            pass

    def close(self) -> None:
        """Stop to serve."""
        if not self._ended.is_set():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Viewer({self.title!r}, {self.url})"

    async def _start(self, port: int) -> str:
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, port, shutdown_timeout=_CLOSE_SECONDS).start()
        return f"http://{LOOPBACK}:{self._runner.addresses[0][1]}/{self._secret}/"

    def _serve(self, port: int, address: Future[str]) -> None:
        """Serve until the loop is stopped; `address` gets the address, or why there is none."""
        try:
            address.set_result(self._loop.run_until_complete(self._start(port)))
            self._loop.run_forever()
        except OSError as why:
            address.set_exception(why)
        finally:
            self._loop.run_until_complete(self._runner.cleanup())
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._loop.close()
            self._ended.set()


def serve_corpus(corpus: Location, *, port: int = 0, seed: int = 0) -> Viewer:
    """Show a corpus in the browser of this machine, until the returned viewer is closed.

    Nothing is written, and nothing but the loopback interface is listened on.

    Args:
        corpus: fsspec URL of a corpus, a subset file or an export.
        port: to listen on; 0 for any that is free.
        seed: by which samples are chosen for distributions.

    Raises:
        RequestError: nothing to show is at the URL, or the port is taken.
        CorpusError: the header of the corpus is damaged.
    """
    checks.whole_number("port", port, 0, 65_535)
    return Viewer(Answers(open_collection(corpus), seed), port)
