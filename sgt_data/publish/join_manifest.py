"""The manifest by which what a copy lacks is made: of the whole corpus' manifest what shapes it.

Nothing that the copy names is opened: no place, no file of code. A person names every place.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import orjson

from sgt_data.corpus.paths import LEFT_OUT_FILE
from sgt_data.engine.listing import Listing, list_inputs
from sgt_data.errors import ManifestError, RequestError
from sgt_data.files.urls import join
from sgt_data.manifest.manifest import Manifest, parse_manifest
from sgt_data.overrides import override_fields
from sgt_data.publish.left_out import LeftOutRecord
from sgt_data.sources.base import Source
from sgt_data.sources.registry import source_kinds

_STAND_IN = {"type": "reconstruction"}
"""A manifest has a proxy, also where but the shared inputs are to be made; it is not drawn."""


def join_manifest(
    record: LeftOutRecord, left_out: Collection[str], sources: Sequence[str] | str, where: str
) -> Manifest:
    """The manifest of the folders that a copy lacks, with the places that a person has.

    Args:
        record: what the copy states.
        left_out: folders that it lacks.
        sources: `sources.NAME.FIELD=URL` each.
        where: URL of the copy, for messages.

    Raises:
        ManifestError: a field is wrong, or a place is not given.
    """
    fields: dict[str, Any] = orjson.loads(orjson.dumps(dict(record.header.manifest)))
    fields.pop("plugins", None)
    lacking = [proxy for proxy in fields["proxies"] if proxy["name"] in left_out]
    needed = {proxy.get("annotator") for proxy in lacking}
    fields["proxies"] = lacking or [_STAND_IN]
    fields["annotators"] = [
        annotator for annotator in fields.get("annotators", ()) if annotator.get("name") in needed
    ]
    fields["sources"] = [_without_places(source) for source in fields["sources"]]
    override_fields(fields, sources)
    try:
        return parse_manifest(fields, f"the manifest in {join(where, LEFT_OUT_FILE)}")
    except ManifestError as why:
        raise ManifestError(
            f"{why}\nEvery source needs a place of yours: --source sources.NAME.FIELD=URL; the "
            f"sources are {_listed(fields['sources'])}"
        ) from why


def list_sources(manifest: Manifest) -> Listing:
    """What the sources of a manifest hold.

    Raises:
        RequestError, SourceError: a source cannot be listed; says how to name its place.
    """
    try:
        return list_inputs(manifest)
    except RequestError as why:
        raise type(why)(str(why).replace("--set", "--source")) from why


def _without_places(source: dict[str, Any]) -> dict[str, Any]:
    """A source without its places, and without what only says how files beside are read."""
    kind = source_kinds().get(str(source.get("type")))
    places = kind.places if kind else frozenset[str]()
    return {
        name: value
        for name, value in source.items()
        if name not in places and not name.startswith(("depth", "normals"))
    }


def _listed(sources: Sequence[dict[str, Any]]) -> str:
    kinds = source_kinds()
    texts = []
    for source in sources:
        kind = kinds.get(str(source.get("type")))
        places = f" (its places: {', '.join(sorted(kind.places - Source.places))})" if kind else ""
        texts.append(f"{source['name']}{places}")
    return "; ".join(texts)
