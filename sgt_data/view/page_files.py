"""The files of the page, served one by one or joined into one HTML file."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files

STYLE = "view.css"
SCRIPTS = (
    "elements.js", "address.js", "answers.js", "png.js", "targets.js", "filters.js", "gallery.js",
    "stage.js", "detail.js", "charts.js", "overview.js", "rejected.js", "keyboard.js", "main.js",
)  # fmt: skip
"""In the order in which they are run; each adds to the object `view`."""

_HTML = "index.html"
_KINDS = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_ICON = "icon.svg"
_STYLE_MARK, _DATA_MARK = "<!-- style -->", "<!-- data and scripts -->"
_POLICY_MARK = "<!-- policy -->"


def page_file(name: str) -> tuple[str, str] | None:
    """Text and content type of a file that the page loads; None where it loads no such file."""
    if name not in (STYLE, _ICON, *SCRIPTS):
        return None
    return _text(name), _KINDS[name.rpartition(".")[2]]


def served_page() -> str:
    """The page as a server gives it: it loads its other files."""
    scripts = "\n".join(f'<script src="page/{name}"></script>' for name in SCRIPTS)
    style = f'<link rel="stylesheet" href="page/{STYLE}"><link rel="icon" href="page/{_ICON}">'
    return _filled(_text(_HTML), style, scripts, "")


def whole_page(data: bytes) -> bytes:
    """The page with everything in it.

    Its own policy allows these very scripts and this style by their digests, and pictures within
    the page; nothing is loaded from anywhere, whatever the data say.

    Args:
        data: JSON; it may hold any text.
    """
    script = "\n".join(_text(name) for name in SCRIPTS)
    style = _text(STYLE)
    policy = (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    head, tail = _filled(
        _text(_HTML),
        f"<style>{style}</style>",
        f'<script type="application/json" id="data">{_DATA_MARK}</script>\n'
        f"<script>{script}</script>",
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
    ).split(_DATA_MARK)
    return b"".join((head.encode(), _harmless(data), tail.encode()))


def _filled(html: str, style: str, scripts: str, policy: str) -> str:
    for mark, text in ((_POLICY_MARK, policy), (_STYLE_MARK, style), (_DATA_MARK, scripts)):
        before, after = html.split(mark)
        html = before + text + after
    return html


def _harmless(data: bytes) -> bytes:
    """JSON in which no text can end the element that it stands in."""
    for sign in (b"<", b">", b"&"):
        data = data.replace(sign, b"\\u%04x" % ord(sign))
    return data


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def _text(name: str) -> str:
    return files("sgt_data.view").joinpath("page").joinpath(name).read_text("utf-8")
