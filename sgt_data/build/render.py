"""One shard's raw inputs -> its encoded shards, one per proxy. No ray; reads nothing but what the
inputs themselves point to, one input at a time.

Whatever is wrong with one input costs that input: it becomes a quarantine row of every proxy that
it could not serve, and the rest goes on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from sgt_data.corpus.shard import EncodedShard, Sample, ShardOrigin, ShardWriter
from sgt_data.errors import FilteredOut, InputError
from sgt_data.manifest import Manifest
from sgt_data.pictures.prepare import Picture, inspect, prepare
from sgt_data.prompts.bank import Instruction, choose_instruction, load_bank
from sgt_data.proxies.base import ProxyConfig, Subject
from sgt_data.records import Category, DrawnTarget, QuarantineRow, RawInput, RawShard
from sgt_data.sources.base import SourceConfig
from sgt_data.sources.fetch import fetched


@dataclass(frozen=True, slots=True)
class RenderSpec:
    """All that rendering needs beside the inputs: the manifest, vocabularies by source, and the
    build's fingerprints by proxy."""

    manifest: Manifest
    vocabulary: Mapping[str, Mapping[int, Category]]
    fingerprints: Mapping[str, str]


def render_shard(
    raw: RawShard, proxies: Collection[str], excluded: Mapping[str, str], spec: RenderSpec
) -> list[EncodedShard]:
    """Draw a shard for the named proxies.

    Args:
        raw: the inputs.
        proxies: which proxies still need this shard.
        excluded: keys that must not become samples, with the reason.
        spec: see there.

    Raises:
        SourceError: an input cannot be fetched just now.
    """
    source = next(one for one in spec.manifest.source_configs() if one.name == raw.source)
    wanted = [proxy for proxy in spec.manifest.proxies if proxy.name in proxies]
    writers = {proxy.name: ShardWriter() for proxy in wanted}
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
    source: SourceConfig,
    proxies: list[ProxyConfig],
    writers: Mapping[str, ShardWriter],
    exclusion: str | None,
    spec: RenderSpec,
) -> None:
    def quarantine(proxy: ProxyConfig, why: InputError) -> None:
        writers[proxy.name].quarantine.append(
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
        for proxy in proxies:
            quarantine(proxy, why)
        return

    @cache
    def clean() -> bytes:
        return picture.jpeg(rule.jpeg_quality, rule.jpeg_subsampling)

    subject = Subject(
        raw.key,
        spec.manifest.seed,
        picture,
        source.offers(),
        cache(lambda layer: source.annotation(raw, layer)),
        cache(lambda layer: source.dense(raw, layer)),
        spec.vocabulary[shard.source],
        clean,
        lambda image: replace(picture, image=image).jpeg(rule.jpeg_quality, rule.jpeg_subsampling),
    )
    for proxy in proxies:
        try:
            drawn = proxy.draw(subject)
        except InputError as why:
            quarantine(proxy, why)
            continue
        writers[proxy.name].samples.append(
            _sample(raw, shard.source, proxy, picture, drawn, drawn.picture or clean(), spec)
        )


def _sample(
    raw: RawInput,
    source: str,
    proxy: ProxyConfig,
    picture: Picture,
    drawn: DrawnTarget,
    jpeg: bytes,
    spec: RenderSpec,
) -> Sample:
    digest = hashlib.sha256(raw.picture).hexdigest()
    bank = load_bank(proxy.bank())
    instruction = choose_instruction(bank, spec.manifest.seed, raw.key, drawn.words)
    row = {
        "source": source,
        "member": raw.member,
        "licence": raw.licence,
        "source_sha256": digest,
        "source_width": picture.stored.width,
        "source_height": picture.stored.height,
        "width": picture.width,
        "height": picture.height,
        "segments": drawn.segments,
        "categories": list(drawn.categories),
    }
    facts = _facts(raw, source, proxy, picture, instruction, digest, spec) | drawn.facts
    if drawn.words:
        facts["instruction"]["words"] = dict(drawn.words)
    return Sample(raw.key, jpeg, drawn.target, drawn.extension, instruction.text, facts, row)


def _facts(
    raw: RawInput,
    source: str,
    proxy: ProxyConfig,
    picture: Picture,
    instruction: Instruction,
    digest: str,
    spec: RenderSpec,
) -> dict[str, Any]:
    """What every sample's JSON says, whatever its proxy."""
    return {
        "version": 1,
        "key": raw.key,
        "proxy": proxy.name,
        "type": proxy.type,
        "tier": proxy.tier,
        "seed": spec.manifest.seed,
        "source": {
            "name": source,
            "member": raw.member,
            "licence": raw.licence,
            "sha256": digest,
            "size": {"width": picture.stored.width, "height": picture.stored.height},
            "orientation": picture.stored.orientation,
            "icc": picture.icc,
        },
        "size": {"width": picture.width, "height": picture.height},
        "instruction": {"bank": instruction.bank, "line": instruction.line},
    }
