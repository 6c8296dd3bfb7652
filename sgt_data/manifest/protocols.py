"""Which file systems the URLs of a manifest may name: a manifest may come from a stranger.

Plain protocols read the one file that a URL names. Others start programs or log in (`ssh`), load
what a file describes (`reference`), work on other machines (`dask`), or chain several (`::`). They
are used where the field `protocols` of the manifest names each of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from sgt_data.errors import RequestError
from sgt_data.files.braces import expand_braces
from sgt_data.files.urls import PLAIN_PROTOCOLS
from sgt_data.manifest.places import stated_places
from sgt_data.redaction import without_secrets
from sgt_data.value_text import cut


def place_problem(member: Any, allowed: Collection[str]) -> str | None:
    """What is wrong with the URLs of a source or an annotator, with the field; None where nothing.

    Args:
        member: of a manifest.
        allowed: protocols that the manifest names, beside the plain ones.
    """
    for field, place in stated_places(member):
        try:
            wrong = next(_refused(place, {*PLAIN_PROTOCOLS, *allowed}), None)
        except RequestError as why:
            return f"{field}: {why}"
        if wrong is not None:
            return f"{field}: {wrong}"
    return None


def _refused(place: str, allowed: Collection[str]) -> Iterator[str]:
    try:
        urls = expand_braces(place)
    except ValueError:  # a name that is no pattern, or one that is refused where it is read
        urls = [place]
    for url in urls:
        for protocol in protocols_of(url):
            if protocol not in allowed:
                plain = ", ".join(f"{name}://" for name in PLAIN_PROTOCOLS)
                yield (
                    f"found {cut(without_secrets(url))}; a URL of a manifest begins with one of "
                    f"{plain}; where you trust the manifest, allow more in it, or by --set: "
                    f"protocols: [{', '.join(sorted({*protocols_of(url)} - {*PLAIN_PROTOCOLS}))}]"
                )


def protocols_of(url: str) -> list[str]:
    """The protocols that a URL names, those of a chain in its order; none for a local path."""
    if url.startswith("/") or "://" not in url:
        return []
    *outer, last = url.split("::")
    names = [link.partition("://")[0] for link in outer]
    return [*names, last.partition("://")[0]] if "://" in last else names
