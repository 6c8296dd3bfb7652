"""A score as one HTML file: the measures, and the best, median and worst drawings of each proxy.

The page loads nothing from elsewhere and runs nothing; every text in it is shown as text.
"""

from __future__ import annotations

import posixpath
from base64 import b64encode
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from sgt_data.extras import LibraryMissing, install_hint
from sgt_data.redaction import shown_text
from sgt_data.scoring.proxy_score import ProxyScore, figure_text, interval_text
from sgt_data.scoring.score_document import score_document

if TYPE_CHECKING:
    from jinja2 import Template


def page_bytes(stated: Mapping[str, Any], proxies: Mapping[str, ProxyScore]) -> bytes:
    """The page.

    Args:
        stated: what holds for all proxies.
        proxies: the scores.

    Raises:
        LibraryMissing: jinja2 is not installed.
    """
    document = score_document(stated, proxies, with_pictures=False)
    corpus = posixpath.basename(document["corpus"].rstrip("/"))  # a page is passed on
    page = template().render(
        stated=document | {"corpus": corpus},
        proxies=proxies,
        samples=sum(scored.samples for scored in proxies.values()),
    )
    return page.encode()


@cache
def template() -> Template:
    """The page's template; asked for before long work, it says at once whether it is there.

    Raises:
        LibraryMissing: jinja2 is not installed.
    """
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ImportError as why:
        raise LibraryMissing(
            f"the page of a score needs jinja2, which is not installed: {install_hint('score')}; "
            "a report that ends in .json needs nothing more"
        ) from why
    environment = Environment(
        loader=PackageLoader("sgt_data.scoring"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        finalize=_clean,
    )
    filters: dict[str, Callable[[Any], str]] = {
        "data_url": _data_url, "interval": interval_text, "figure": figure_text,
    }  # fmt: skip
    environment.filters |= filters
    return environment.get_template("score.html.j2")


def _data_url(picture: bytes) -> str:
    kind = "png" if picture.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{b64encode(picture).decode()}"


def _clean(value: Any) -> Any:
    """A text without secrets, and with `�` for control characters; else the value."""
    if not isinstance(value, str) or hasattr(value, "__html__"):  # what the template made
        return value
    text = shown_text(value)
    return "".join(sign if sign.isprintable() or sign in "\n\t" else "�" for sign in text)
