"""Which folders of a corpus hold pictures, whose licences decide who may publish them.

SA-1B's licence does not allow its pictures to be passed on, and COCO's pictures have a licence
each. A target that was drawn from a picture is not the picture. The picture itself lies in shared
inputs, in tars that embed their inputs, and in targets that show it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from sgt_data.corpus.paths import INPUT
from sgt_data.corpus.picture_licences import Licences
from sgt_data.corpus.reversed_proxies import bases_of
from sgt_data.proxies.registry import proxy_kinds


def folders_with_pictures(
    folders: Iterable[str], manifest: Mapping[str, Any], licences: Licences
) -> tuple[str, ...]:
    """The folders of a corpus that hold pictures, so that their licences decide who may publish.

    A proxy that reverses another holds none; it goes with that one.

    Args:
        folders: folders of the corpus.
        manifest: resolved manifest of the corpus.
        licences: what the indexes of the corpus say.
    """
    holding = {proxy["name"] for proxy in manifest["proxies"] if _shows_picture(proxy)}
    holding |= {INPUT, *licences.embedding}
    # the text of a reversed proxy is of no use without the tars that hold its pictures
    holding |= {proxy for proxy, base in bases_of(manifest).items() if base in holding}
    return tuple(folder for folder in folders if folder in holding)


def counts_text(counts: Mapping[str, int]) -> str:
    """Names with their counts, on one line."""
    return ", ".join(f"{name}: {count:,}" for name, count in counts.items()) or "-"


def _shows_picture(fields: Mapping[str, Any]) -> bool:
    """Whether targets of a proxy show the picture; True where the proxy's type is not known."""
    kind = proxy_kinds().usable(fields.get("type"))
    if kind is None:
        return True
    try:
        return kind.model_validate(dict(fields)).shows_picture
    except ValidationError:
        return True
