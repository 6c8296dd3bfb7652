"""Samples of proxies that reverse another: text for pictures that the base stores already.

The base is drawn once: in the same pass, or it is committed, and then its JSON and its ledger are
read instead. No picture is decoded for a reversed sample.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from sgt_data.corpus.index import parse_index
from sgt_data.corpus.mending import read_committed
from sgt_data.corpus.paths import INPUT, index_path
from sgt_data.corpus.reasons import lost_inputs
from sgt_data.corpus.sample_reader import SampleReader
from sgt_data.corpus.shard import EncodedSample
from sgt_data.errors import CorpusError, SourceError
from sgt_data.facts import REVERSED
from sgt_data.files.urls import join
from sgt_data.manifest.manifest import Manifest
from sgt_data.plugins.own_code import mistake, own_code
from sgt_data.prompts.bank import choose_instruction
from sgt_data.proxies.generate import GenerateProxy
from sgt_data.records import QuarantineRow
from sgt_data.value_text import cut

_COMMON = ("version", "minor", "key", "seed", "source", "size")
_DRAWING = ("variant", "palette", "look", "method", "colormap", "bits", "unit", "unlabelled")
"""What a base's JSON says of how its pictures are read, as far as it says it."""

_DESCRIBED = (
    "source", "member", "licence", "source_sha256", "source_width", "source_height", "width",
    "height", "segments", "categories",
)  # fmt: skip
"""What an index says of a picture, beside its key and its members."""

_LEDGER = tuple(field.name for field in fields(QuarantineRow))


@dataclass(frozen=True, slots=True)
class BaseSample:
    """What a reversed sample is made of.

    Attributes:
        facts: JSON of the base's sample.
        row: what the index says of it.
        checksums: CRC-32 of its `input` and its `target`.
    """

    facts: Mapping[str, Any]
    row: Mapping[str, Any]
    checksums: Mapping[str, int]


Outcome = BaseSample | QuarantineRow
"""What became of an input for the base: a sample, or a row of its ledger."""


def drawn_base(sample: EncodedSample, clean: bytes) -> BaseSample:
    """A sample that was just drawn, as the base of a reversed one.

    Args:
        sample: of the base.
        clean: the clean picture, which is its input where it has no own.
    """
    pictures = {"input": sample.input or clean, "target": sample.target or b""}
    checksums = {name: zlib.crc32(data) for name, data in pictures.items()}
    return BaseSample(sample.facts, sample.row, checksums)


def reversed_sample(proxy: GenerateProxy, base: BaseSample, manifest: Manifest) -> EncodedSample:
    """The sample of a reversed proxy.

    Raises:
        OwnCodeError: own code of the base gives no words.
    """
    key = str(base.facts["key"])
    words = {"map": _map_words(proxy, base.facts, key)}
    bank = proxy.instruction_bank()
    instruction = choose_instruction(bank, manifest.seed, key, words)
    drawing = {name: base.facts[name] for name in _DRAWING if name in base.facts}
    facts = {
        **{name: base.facts[name] for name in _COMMON if name in base.facts},
        "proxy": proxy.name,
        "type": proxy.type,
        "tier": proxy.tier,
        "instruction": {"bank": instruction.bank, "line": instruction.line, "words": words},
        REVERSED: {
            "proxy": proxy.of,
            "type": base.facts["type"],
            **drawing,
            "phrased": bool(base.facts["instruction"].get("words")),
            "input_crc32": base.checksums["target"],
            "target_crc32": base.checksums["input"],
        },
    }
    row = {**base.row, "segments": 0}
    return EncodedSample(key, None, None, "jpg", instruction.text, facts, row)


def reversed_row(proxy: GenerateProxy, row: QuarantineRow) -> QuarantineRow:
    """The row of a reversed proxy's ledger for an input of which its base has no sample."""
    return replace(row, reason=f"{proxy.of} has no sample of it: {row.reason}")


def _map_words(proxy: GenerateProxy, facts: Mapping[str, Any], key: str) -> str:
    with own_code(proxy.base, "map_words", key):
        words: Any = type(proxy.base).map_words(facts)
    if not isinstance(words, str) or not words.strip():
        problem = f"it returned {cut(words, 60)}; right is a noun phrase, such as 'edge map'"
        raise mistake(proxy.base, "map_words", key, problem)
    return words


class CommittedBase:
    """What a committed shard of a base says of each input."""

    def __init__(self, root: str, proxy: str, shard: str, shares_inputs: bool) -> None:
        """
        Args:
            root: absolute URL of the corpus.
            proxy: the base.
            shard: name of the shard.
            shares_inputs: whether pictures lie below `input/`.

        Raises:
            SourceError: the shard is damaged, or cannot be read just now.
        """
        self._place = f"{proxy}/{shard}"
        try:
            self._samples = dict(_samples(root, proxy, shard, shares_inputs))
            self._rows = {
                (row["key"], row["member"]): QuarantineRow(**{name: row[name] for name in _LEDGER})
                for row in lost_inputs(root, proxy, shard)
            }
        except CorpusError as why:  # what is missing here is made by another run of the build
            raise SourceError(str(why)) from why

    def of(self, key: str, member: str) -> Outcome:
        """What became of an input.

        Raises:
            SourceError: the shard has no account of it.
        """
        outcome = self._samples.get(key) or self._rows.get((key, member))
        if outcome is None:
            raise SourceError(
                f"{self._place} has no account of the input {cut(member)}, which the source holds "
                "now; build with --retry-damaged, or what the sources held then"
            )
        return outcome


def _samples(
    root: str, proxy: str, shard: str, shares_inputs: bool
) -> Iterator[tuple[str, BaseSample]]:
    """The samples of a committed shard by key; members are compared with the index."""
    table = _index(root, proxy, shard)
    inputs = table
    if shares_inputs and table["input_crc32"].null_count:
        inputs = _index(root, INPUT, shard)
    stored = zip(inputs["key"].to_pylist(), inputs["input_crc32"].to_pylist(), strict=True)
    checksum_of = dict(stored)
    facts = SampleReader(_Committed(root)).facts_of_shard(proxy, shard)
    for row, stated in zip(table.to_pylist(), facts, strict=True):
        key = row["key"]
        if checksum_of.get(key) is None:
            raise CorpusError(f"{join(root, index_path(INPUT, shard))} has no input {key}")
        described = {name: row[name] for name in _DESCRIBED}
        checksums = {"input": checksum_of[key], "target": row["target_crc32"]}
        yield key, BaseSample(stated, described, checksums)


def _index(root: str, folder: str, shard: str) -> Any:
    path = index_path(folder, shard)
    return parse_index(read_committed(root, path), join(root, path))


@dataclass(slots=True)
class _Committed:
    """Committed shards of a corpus whose header may not be written to its end yet."""

    url: str

    @property
    def folders(self) -> tuple[str, ...]:
        return ()

    @property
    def stored_fingerprints(self) -> Mapping[str, str]:
        return {}

    @property
    def bases(self) -> Mapping[str, str]:
        return {}

    def index(self, proxy: str, shard: str, columns: Any = None) -> Any:
        path = index_path(proxy, shard)
        return parse_index(read_committed(self.url, path), join(self.url, path), columns)
