"""Whose pictures lie in a corpus, and which of its folders hold pictures at all.

SA-1B's licence does not let one pass its pictures on, and COCO's pictures have a licence each. What
was drawn from a picture is not the picture; the picture itself lies in shared inputs, in tars that
embed their inputs, and in targets that show it.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from sgt_data.corpus.layout import INPUT
from sgt_data.corpus.reader import Corpus
from sgt_data.proxies.registry import proxy_kinds

NOT_STATED = "not stated"


@dataclass(frozen=True, slots=True)
class Licences:
    """What the indexes of a corpus say of licences and pictures.

    Attributes:
        samples: how many, by folder and licence.
        pictures: how many, by licence; each once, in however many folders it is.
        embedding: folders whose tars hold inputs.
    """

    samples: Mapping[str, Mapping[str, int]]
    pictures: Mapping[str, int]
    embedding: frozenset[str]


def read_licences(corpus: Corpus) -> Licences:
    """Read the indexes of a complete corpus, or of what a subset sees of one.

    Raises:
        CorpusError, SourceError: an index is damaged or cannot be read.
    """
    holders: dict[str, list[str]] = {}
    for folder in corpus.folders:
        for shard in corpus.shards(folder):
            holders.setdefault(shard, []).append(folder)

    def read(shard: str) -> tuple[dict[str, Counter[str]], Counter[str], set[str]]:
        samples: dict[str, Counter[str]] = {}
        pictures: dict[str, str] = {}
        embedding: set[str] = set()
        for folder in holders[shard]:
            stored = corpus.stored_index(folder, shard, ("key", "licence", "input_size"))
            table = corpus.restricted(stored, shard)
            licences = [one or NOT_STATED for one in table["licence"].to_pylist()]
            samples[folder] = Counter(licences)
            pictures |= dict(zip(table["key"].to_pylist(), licences, strict=True))
            if stored["input_size"].null_count < len(stored):
                embedding.add(folder)
        return samples, Counter(pictures.values()), embedding

    found: dict[str, Counter[str]] = {folder: Counter() for folder in corpus.folders}
    pictures: Counter[str] = Counter()
    embedding: set[str] = set()
    with ThreadPoolExecutor(min(32, 4 * (os.cpu_count() or 1))) as threads:
        for by_folder, in_shard, embedded in threads.map(read, holders):
            for folder, counts in by_folder.items():
                found[folder] += counts
            pictures += in_shard
            embedding |= embedded
    return Licences(
        {folder: _sorted(counts) for folder, counts in found.items()},
        _sorted(pictures),
        frozenset(embedding),
    )


def folders_with_pictures(
    folders: Iterable[str], manifest: Mapping[str, Any], licences: Licences
) -> tuple[str, ...]:
    """Which folders only those may publish who may pass the pictures on.

    Args:
        folders: of the corpus.
        manifest: of the corpus, resolved.
        licences: what its indexes say.
    """
    showing = {proxy["name"] for proxy in manifest["proxies"] if _shows_picture(proxy)}
    return tuple(
        folder
        for folder in folders
        if folder == INPUT or folder in showing or folder in licences.embedding
    )


def counted(counts: Mapping[str, int]) -> str:
    """Names with their counts, on one line."""
    return ", ".join(f"{name}: {count:,}" for name, count in counts.items()) or "-"


def _shows_picture(fields: Mapping[str, Any]) -> bool:
    """Of a proxy as a manifest has it. One that is not known here may show anything."""
    kind = proxy_kinds().get(str(fields.get("type")))
    if kind is None:
        return True
    try:
        return kind.model_validate(dict(fields)).shows_picture
    except ValidationError:
        return True


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    """The most frequent first."""
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))
