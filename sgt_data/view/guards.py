"""What the server refuses, whatever is asked: other hosts, other sites, other methods.

The server listens on the loopback interface alone. Three things could still reach it: other users
of the machine, who do not know the secret part of its address; a web page of another site, which a
browser marks (`Sec-Fetch-Site`, `Origin`); and such a page under a name that its owner points at
this machine (DNS rebinding), which shows in `Host`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
"""Names of this machine. Ports may differ, as where `ssh -L` forwards one."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The page may load what this server gives, and nothing else."""

_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
_TARGET_MAX = 16_000  # characters of a path with its query

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what must not be answered, and add the headers of all answers."""
    refusal = _refusal(request)
    try:
        response = refusal or await handler(request)
    except web.HTTPNotFound:
        response = refused(404, "nothing is at this address; open the one that was printed")
    except web.HTTPException as error:
        response = refused(error.status, error.reason)
    response.headers.update(_HEADERS)
    return response


def refused(status: int, why: str) -> web.Response:
    """An answer without content, which says why."""
    return web.json_response({"problem": why}, status=status)


def _refusal(request: web.Request) -> web.Response | None:
    if request.method not in ("GET", "HEAD"):
        return refused(405, "this server is read-only: GET and HEAD")
    if _name_of(request.headers.get("Host", "")) not in HOSTS:
        return refused(
            403,
            "this server answers to 127.0.0.1 and localhost alone; from another machine, forward "
            "its port with ssh -L",
        )
    origin = request.headers.get("Origin")
    if origin is not None and (urlsplit(origin).hostname or "") not in HOSTS:
        return refused(403, "another site asked")
    fetched_by = request.headers.get("Sec-Fetch-Site", "none")
    opened = request.headers.get("Sec-Fetch-Mode") == "navigate"  # by a link, say of a notebook
    if fetched_by not in ("same-origin", "none") and not opened:
        return refused(403, "another site asked")
    if len(request.raw_path) > _TARGET_MAX:
        return refused(414, f"the address is longer than {_TARGET_MAX} characters")
    return None


def _name_of(host: str) -> str:
    """The name in a `Host` header, without port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
