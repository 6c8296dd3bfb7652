"""Check the samples of a proxy that reverses another against that one, whose pictures they take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from sgt_data.corpus.header import CorpusHeader
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.paths import INPUT
from sgt_data.corpus.sample_reader import SampleReader
from sgt_data.errors import CorpusError, SgtDataError
from sgt_data.facts import reversed_facts
from sgt_data.foreign_errors import in_words
from sgt_data.plugins.member import is_own
from sgt_data.plugins.traces import file_of_class, where_raised
from sgt_data.proxies.base import Proxy
from sgt_data.proxies.registry import proxy_kinds
from sgt_data.value_text import cut

Kind = type[Proxy]

_OF_PICTURES = ("proxy", "type", "phrased", "input_crc32", "target_crc32")
"""What a reversed sample states of its base that is no field of the base's JSON."""


def type_of(header: CorpusHeader, folder: str) -> str:
    """The type of a proxy, by the manifest of its corpus; empty for shared inputs."""
    types = {proxy["name"]: str(proxy.get("type")) for proxy in header.manifest["proxies"]}
    return types.get(folder, "")


@dataclass(frozen=True, slots=True)
class BasePictures:
    """What indexes and JSON state of the pictures of a base.

    Attributes:
        proxy: the base.
        type: its type.
        base_class: of that type, which has words for its targets; None where it is not installed,
            and in corpora that another version built, whose words may have been others.
        checksums: CRC-32 of the input and the target of each of its samples, by key.
        facts: JSON of each of its samples, by key; none where its tar cannot be read, which the
            check of its own shard says.
    """

    proxy: str
    type: str
    base_class: Kind | None
    checksums: Mapping[str, tuple[int | None, int | None]]
    facts: Mapping[str, Mapping[str, Any]]

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
        if key in self.facts:
            yield from self._differences(stated, facts, self.facts[key])

    def _differences(
        self, stated: Mapping[str, Any], facts: Mapping[str, Any], of_base: Mapping[str, Any]
    ) -> Iterator[str]:
        """What a reversed sample says of its input otherwise than the base does."""
        copied = {name: value for name, value in stated.items() if name not in _OF_PICTURES}
        has_words = bool(_words(of_base))
        for name, value, right in (
            *((name, value, of_base.get(name)) for name, value in copied.items()),
            ("phrased", stated.get("phrased"), has_words),
        ):
            if value != right:
                yield (
                    f"its JSON says that {name} of its input is {cut(value, 60)}, {self.proxy} "
                    f"{cut(right, 60)}"
                )
        if self.base_class is None:
            return
        try:
            right, own = self.base_class.map_words(of_base), _words(facts).get("map")
        except (CorpusError, KeyError, TypeError, ValueError) as why:
            yield f"the JSON of {self.proxy} has no words for its input: {in_words(why)}"
        except Exception as why:
            if not is_own(self.base_class):
                raise
            place = where_raised(why, file_of_class(self.base_class))
            yield f"{self.base_class.__name__}.map_words: {place}"
        else:
            if own != right:
                yield (
                    f"the instruction calls its input {cut(own, 160)}; right for the target of "
                    f"{self.proxy} is {cut(right, 160)}"
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
    kind = type_of(corpus.header, base)
    facts = _facts_of(corpus, base, shard, keys)
    is_ours = corpus.header.environment.get("sgt-data") == version("sgt-data")
    base_class = proxy_kinds().usable(kind) if is_ours else None
    return BasePictures(base, kind, base_class, checksums, facts)


def _facts_of(
    corpus: Corpus, base: str, shard: str, keys: list[str]
) -> dict[str, Mapping[str, Any]]:
    """JSON of the samples of a base by key; none where one cannot be read."""
    try:
        read = SampleReader(corpus).facts_of_shard(base, shard)
        return dict(zip(keys, read, strict=True))
    except SgtDataError:
        return {}


def _words(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """The words of an instruction; none where the JSON states none."""
    instruction = facts.get("instruction")
    words = instruction.get("words") if isinstance(instruction, Mapping) else None
    return words if isinstance(words, Mapping) else {}
