"""One shard's raw inputs -> its encoded shards, one per proxy (and one of the pictures alone where
proxies share them). No ray; reads nothing but what the inputs themselves point to, one input at a
time.

Whatever is wrong with one input costs that input: it becomes a quarantine row of every proxy that
it could not serve, and the rest goes on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

from sgt_data.annotators.batching import role
from sgt_data.corpus.layout import INPUT
from sgt_data.corpus.shard import (
    EncodedSample,
    EncodedShard,
    ShardOrigin,
    ShardWriter,
)
from sgt_data.errors import AnnotationError, FilteredOut, InputError
from sgt_data.manifest import Manifest
from sgt_data.pictures.prepare import Picture, inspect, prepare
from sgt_data.prompts.bank import choose_instruction, load_bank
from sgt_data.proxies.base import Proxy, Subject
from sgt_data.records import (
    Category,
    DrawnTarget,
    QuarantineRow,
    RawInput,
    RawShard,
)
from sgt_data.sources.base import Source
from sgt_data.sources.dense_maps import parse_dense
from sgt_data.sources.fetch import fetched
from sgt_data.sources.sa1b import parse_annotation


@dataclass(frozen=True, slots=True)
class RenderSpec:
    """All that rendering needs beside the inputs: the manifest, vocabularies by source, and the
    build's fingerprints by proxy."""

    manifest: Manifest
    vocabulary: Mapping[str, Mapping[int, Category]]
    fingerprints: Mapping[str, str]


def render_shard(
    raw: RawShard, folders: Collection[str], excluded: Mapping[str, str], spec: RenderSpec
) -> list[EncodedShard]:
    """Draw a shard for the named folders of the corpus.

    Args:
        raw: the inputs.
        folders: which proxies, or the shared inputs, still need this shard.
        excluded: keys that must not become samples, with the reason.
        spec: see there.

    Raises:
        SourceError: an input cannot be fetched just now.
    """
    source = next(one for one in spec.manifest.source_configs() if one.name == raw.source)
    wanted = [proxy for proxy in spec.manifest.proxies if proxy.name in folders]
    names = ([INPUT] if INPUT in folders else []) + [proxy.name for proxy in wanted]
    writers = {name: ShardWriter() for name in names}
    for one in raw.inputs:
        _render_input(one, raw, source, wanted, writers, excluded.get(one.key), spec)
    source_bytes = sum(one.nbytes for one in raw.inputs)
    return [
        writer.encode(
            ShardOrigin(
                name, raw.name, raw.source, raw.slice, raw.last, source_bytes,
                spec.fingerprints[name],
            )
        )
        for name, writer in writers.items()
    ]  # fmt: skip


def _render_input(
    raw: RawInput,
    shard: RawShard,
    source: Source,
    proxies: list[Proxy],
    writers: Mapping[str, ShardWriter],
    exclusion: str | None,
    spec: RenderSpec,
) -> None:
    def quarantine(folder: str, why: InputError) -> None:
        writers[folder].quarantine.append(
            QuarantineRow(
                raw.key,
                shard.source,
                shard.slice,
                raw.member,
                "filtered" if isinstance(why, FilteredOut) else "damaged",
                str(why),
            )
        )

    try:
        if raw.problem or exclusion:
            raise InputError(raw.problem or exclusion)
        raw = fetched(raw)
        rule = spec.manifest.pictures
        picture = prepare(inspect(raw.picture, rule.max_pixels), rule, rule.icc)
    except InputError as why:
        for folder in writers:
            quarantine(folder, why)
        return

    @cache
    def clean() -> bytes:
        return picture.jpeg(rule.jpeg_quality, rule.jpeg_subsampling)

    subject = Subject(
        raw.key,
        spec.manifest.seed,
        picture,
        source.offers(),
        cache(partial(source.annotation, raw)),
        cache(partial(source.dense, raw)),
        spec.vocabulary[shard.source],
        clean,
        lambda image: replace(picture, image=image).jpeg(rule.jpeg_quality, rule.jpeg_subsampling),
    )
    facts = _common_facts(raw, shard.source, picture, spec)
    shared = spec.manifest.inputs == "shared"
    if INPUT in writers:
        row = _row(facts, DrawnTarget(b"", "png", {}))
        writers[INPUT].samples.append(EncodedSample(raw.key, clean(), None, None, None, facts, row))
    for proxy in proxies:
        annotator = proxy.annotator_for(source.offers())
        seen = subject if annotator is None else _annotated(subject, raw, proxy, annotator)
        try:
            drawn = proxy.draw(seen)
        except InputError as why:
            quarantine(proxy.name, why)
            continue
        jpeg = drawn.picture or (None if shared else clean())
        writers[proxy.name].samples.append(_sample(proxy, facts, drawn, jpeg, spec))


def _annotated(subject: Subject, raw: RawInput, proxy: Proxy, annotator: str) -> Subject:
    """The subject as one proxy sees it whose annotator fills in what the source lacks."""
    layer = proxy.annotated_layer
    assert layer is not None

    def said() -> bytes:
        if why := raw.layer_problems.get(role(annotator)):
            raise AnnotationError(why)
        return raw.layer_bytes[role(annotator)]

    return replace(
        subject,
        layers=subject.layers | {layer},
        annotation=lambda one: parse_annotation(said()) if one == layer else None,
        dense=lambda one: parse_dense(said()),
    )


def _sample(
    proxy: Proxy,
    common: Mapping[str, Any],
    drawn: DrawnTarget,
    jpeg: bytes | None,
    spec: RenderSpec,
) -> EncodedSample:
    key = common["key"]
    bank = load_bank(proxy.bank())
    instruction = choose_instruction(bank, spec.manifest.seed, key, drawn.words)
    said: dict[str, Any] = {"bank": instruction.bank, "line": instruction.line}
    if drawn.words:
        said["words"] = dict(drawn.words)
    of_proxy = {"proxy": proxy.name, "type": proxy.type, "tier": proxy.tier, "instruction": said}
    facts = {**common, **of_proxy, **drawn.facts}
    row = _row(common, drawn)
    return EncodedSample(key, jpeg, drawn.target, drawn.extension, instruction.text, facts, row)


def _common_facts(raw: RawInput, source: str, picture: Picture, spec: RenderSpec) -> dict[str, Any]:
    """What every sample's JSON says, whatever its proxy."""
    return {
        "version": 1,
        "key": raw.key,
        "seed": spec.manifest.seed,
        "source": {
            "name": source,
            "member": raw.member,
            "licence": raw.licence,
            "sha256": hashlib.sha256(raw.picture).hexdigest(),
            "size": {"width": picture.stored.width, "height": picture.stored.height},
            "orientation": picture.stored.orientation,
            "icc": picture.icc,
        },
        "size": {"width": picture.width, "height": picture.height},
    }


def _row(facts: Mapping[str, Any], drawn: DrawnTarget) -> dict[str, Any]:
    """What the index says of a sample beside its key and its members."""
    source = facts["source"]
    return {
        "source": source["name"],
        "member": source["member"],
        "licence": source["licence"],
        "source_sha256": source["sha256"],
        "source_width": source["size"]["width"],
        "source_height": source["size"]["height"],
        "width": facts["size"]["width"],
        "height": facts["size"]["height"],
        "segments": drawn.segments,
        "categories": list(drawn.categories),
    }
