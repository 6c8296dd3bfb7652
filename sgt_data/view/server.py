"""The server of a page: what it asks for by URL, answered in threads. Read-only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any

import orjson
from aiohttp import web

from sgt_data.errors import RequestError, SgtDataError
from sgt_data.view.answers import Answers
from sgt_data.view.collection import Place
from sgt_data.view.guards import guarded, refused
from sgt_data.view.page_files import page_file, served_page
from sgt_data.view.query import parse_query

_READ_ON_SECONDS = 0.4
"""For about so long a request lets what has to be read be read on."""
_PICTURE_AGE = 600  # seconds that a browser may keep a picture

_SIGNS = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}

Answer = Callable[[], Any]


def application(answers: Answers, secret: str, threads: Executor) -> web.Application:
    """The server's application; everything lies below the secret part of its address.

    Args:
        answers: of the collection that is shown.
        secret: the first part of every path.
        threads: in which files are read.
    """
    routes = _Routes(answers, threads)
    app = web.Application(middlewares=[guarded])
    for path, handler in (
        ("/", routes.page),
        ("/page/{name}", routes.page_file),
        ("/data/overview", routes.overview),
        ("/data/samples", routes.samples),
        ("/data/counts", routes.counts),
        ("/data/sample", routes.sample),
        ("/data/distributions", routes.distributions),
        ("/data/reasons", routes.reasons),
        ("/data/rejected", routes.rejected),
        ("/picture/{proxy}/{shard}/{key}/{member}", routes.picture),
    ):
        app.router.add_get(f"/{secret}{path}", handler)
    return app


class _Routes:
    """A handler for each address."""

    def __init__(self, answers: Answers, threads: Executor) -> None:
        self._answers, self._threads = answers, threads

    async def page(self, request: web.Request) -> web.StreamResponse:
        return web.Response(text=served_page(), content_type="text/html")

    async def page_file(self, request: web.Request) -> web.StreamResponse:
        stored = page_file(request.match_info["name"])
        if stored is None:
            return refused(404, "there is no such file")
        text, kind = stored
        return web.Response(text=text, content_type=kind)

    async def overview(self, request: web.Request) -> web.StreamResponse:
        return await self._json(self._answers.overview)

    async def samples(self, request: web.Request) -> web.StreamResponse:
        fields = _fields(request)
        return await self._json(
            lambda: self._answers.samples(
                _last(fields, "proxy"), parse_query(fields), _READ_ON_SECONDS
            )
        )

    async def counts(self, request: web.Request) -> web.StreamResponse:
        fields = _fields(request)
        return await self._json(
            lambda: self._answers.counts(
                _last(fields, "proxy"), parse_query(fields), _READ_ON_SECONDS
            )
        )

    async def sample(self, request: web.Request) -> web.StreamResponse:
        fields = _fields(request)
        place = Place(*(_last(fields, name) for name in ("proxy", "shard", "key")))
        return await self._json(lambda: self._answers.sample(place))

    async def distributions(self, request: web.Request) -> web.StreamResponse:
        proxy = _last(_fields(request), "proxy")
        return await self._json(lambda: self._answers.distributions(proxy, _READ_ON_SECONDS))

    async def reasons(self, request: web.Request) -> web.StreamResponse:
        return await self._json(lambda: self._answers.reasons(_READ_ON_SECONDS))

    async def rejected(self, request: web.Request) -> web.StreamResponse:
        fields = _fields(request)
        kind, reason, folder = (_last(fields, name) for name in ("kind", "reason", "folder"))
        return await self._json(
            lambda: self._answers.rejected(kind, reason, folder, parse_query(fields).page)
        )

    async def picture(self, request: web.Request) -> web.StreamResponse:
        parts = request.match_info
        place = Place(parts["proxy"], parts["shard"], parts["key"])
        try:
            data = await self._in_thread(lambda: self._answers.picture(place, parts["member"]))
        except SgtDataError as why:
            return refused(404 if isinstance(why, RequestError) else 502, str(why))
        kind = _picture_kind(data)
        if kind is None:
            return refused(502, f"{place.key}: a stored picture is neither JPEG nor PNG")
        headers = {"Cache-Control": f"private, max-age={_PICTURE_AGE}"}
        return web.Response(body=data, content_type=kind, headers=headers)

    async def _json(self, answer: Answer) -> web.StreamResponse:
        try:
            document = await self._in_thread(answer)
        except SgtDataError as why:
            return refused(400 if isinstance(why, RequestError) else 502, str(why))
        return web.Response(
            body=orjson.dumps(document),
            content_type="application/json",
            headers={"Cache-Control": "no-store"},
        )

    async def _in_thread(self, answer: Answer) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, answer)


def _picture_kind(data: bytes) -> str | None:
    return next((kind for sign, kind in _SIGNS.items() if data.startswith(sign)), None)


def _fields(request: web.Request) -> Mapping[str, Sequence[str]]:
    return {name: request.query.getall(name) for name in request.query}


def _last(fields: Mapping[str, Sequence[str]], name: str) -> str:
    return (fields.get(name) or ("",))[-1]
