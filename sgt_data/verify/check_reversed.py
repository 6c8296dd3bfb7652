"""Check the samples of a proxy that reverses another against that one, whose pictures they take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sgt_data.corpus.header import CorpusHeader
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.paths import INPUT
from sgt_data.facts import reversed_facts
from sgt_data.value_text import cut


def type_of(header: CorpusHeader, folder: str) -> str:
    """The type of a proxy, by the manifest of its corpus; empty for shared inputs."""
    types = {proxy["name"]: str(proxy.get("type")) for proxy in header.manifest["proxies"]}
    return types.get(folder, "")


@dataclass(frozen=True, slots=True)
class BasePictures:
    """What indexes state of the pictures of a base.

    Attributes:
        proxy: the base.
        type: its type.
        checksums: CRC-32 of the input and the target of each of its samples, by key.
    """

    proxy: str
    type: str
    checksums: Mapping[str, tuple[int | None, int | None]]

    def problems(self, key: str, facts: Mapping[str, Any]) -> Iterator[str]:
        """What is wrong with the JSON of a reversed sample."""
        stated = reversed_facts(facts)
        if stated is None:
            yield "its JSON does not say what it reverses"
            return
        if (stated.get("proxy"), stated.get("type")) != (self.proxy, self.type):
            yield (
                f"its JSON says that it reverses {cut(stated.get('proxy'), 60)} of type "
                f"{cut(stated.get('type'), 60)}, the manifest {self.proxy} of type {self.type}"
            )
        if key not in self.checksums:  # the shards are compared with one another
            return
        shown, painted = self.checksums[key]
        for name, own, of_base, member in (
            ("input", stated.get("input_crc32"), painted, "target"),
            ("target", stated.get("target_crc32"), shown, "input"),
        ):
            if own != of_base and of_base is not None:
                yield (
                    f"its JSON says that its {name} has the CRC-32 {cut(own, 40)}; the {member} of "
                    f"{self.proxy} has {of_base}, so its text is for another picture"
                )


def base_pictures(corpus: Corpus, folder: str, shard: str) -> BasePictures | None:
    """The pictures that a shard of a reversed proxy takes; None of any other folder.

    Raises:
        RequestError, CorpusError, SourceError: an index is missing or damaged, or cannot be read.
    """
    base = corpus.bases.get(folder)
    if base is None:
        return None
    table = corpus.stored_index(base, shard, ("key", "input_crc32", "target_crc32"))
    keys = table["key"].to_pylist()
    inputs = dict(zip(keys, table["input_crc32"].to_pylist(), strict=True))
    if table["input_crc32"].null_count and INPUT in corpus.folders:
        shared = corpus.stored_index(INPUT, shard, ("key", "input_crc32"))
        inputs |= dict(
            zip(shared["key"].to_pylist(), shared["input_crc32"].to_pylist(), strict=True)
        )
    targets = table["target_crc32"].to_pylist()
    checksums = {key: (inputs[key], target) for key, target in zip(keys, targets, strict=True)}
    return BasePictures(base, type_of(corpus.header, base), checksums)
