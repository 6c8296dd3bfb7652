"""The licences of the pictures in a corpus, and which of its folders hold pictures.

SA-1B's licence does not allow its pictures to be passed on, and COCO's pictures have a licence
each. A target that was drawn from a picture is not the picture. The picture itself lies in shared
inputs, in tars that embed their inputs, and in targets that show it.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.paths import INPUT
from sgt_data.corpus.reversed_proxies import bases_of
from sgt_data.proxies.registry import proxy_kinds

NOT_STATED = "not stated"


@dataclass(frozen=True, slots=True)
class Licences:
    """What the indexes of a corpus say of licences and pictures.

    Attributes:
        pictures: number of pictures, by licence; a picture that several folders hold counts once.
        embedding: folders whose tars hold inputs.
    """

    pictures: Mapping[str, int]
    embedding: frozenset[str]


def read_licences(corpus: Corpus) -> Licences:
    """Read licences from the indexes of a complete corpus, or of the part that a subset sees.

    Raises:
        CorpusError, SourceError: an index is damaged or cannot be read.
    """
    folders_of: dict[str, list[str]] = {}
    for folder in corpus.folders:
        for shard in corpus.shards(folder):
            folders_of.setdefault(shard, []).append(folder)

    def read(shard: str) -> tuple[Counter[str], set[str]]:
        pictures: dict[str, str] = {}
        embedding: set[str] = set()
        for folder in folders_of[shard]:
            stored = corpus.stored_index(folder, shard, ("key", "licence", "input_size"))
            rows = corpus.restricted(stored, shard)
            licences = [licence or NOT_STATED for licence in rows["licence"].to_pylist()]
            pictures |= dict(zip(rows["key"].to_pylist(), licences, strict=True))
            if stored["input_size"].null_count < len(stored):
                embedding.add(folder)
        return Counter(pictures.values()), embedding

    pictures: Counter[str] = Counter()
    embedding: set[str] = set()
    with ThreadPoolExecutor(min(32, 4 * (os.cpu_count() or 1))) as threads:
        for of_shard, shard_embedding in threads.map(read, folders_of):
            pictures += of_shard
            embedding |= shard_embedding
    return Licences(_by_frequency(pictures), frozenset(embedding))


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


def _by_frequency(counts: Mapping[str, int]) -> dict[str, int]:
    """The most frequent name first; names of the same count by name."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
