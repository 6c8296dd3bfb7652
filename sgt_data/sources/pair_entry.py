"""A pair that was listed: the places of its files, its text, and what is wrong with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sgt_data.records import FilePart, RawInput, Slice
from sgt_data.sources.fetch_input import with_held_files
from sgt_data.sources.folder_notes import printable
from sgt_data.sources.slices import chunked, packed, unpacked
from sgt_data.value_text import cut


@dataclass(frozen=True, slots=True)
class PairEntry:
    """A picture with what belongs to it; or what cannot become a sample.

    Attributes:
        key: of the sample; empty where it has none.
        member: what names it in ledgers, such as the path of its picture.
        parts: places of its files by role: `picture`, `target`, `text`, `target_facts`.
        texts: by role: what no file holds, such as the `text` of a row.
        problems: by role: why there is no such file. It costs the pair, not the picture.
        problem: why there is no picture.
    """

    key: str
    member: str
    parts: Mapping[str, FilePart] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    problem: str | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of its files."""
        return sum(part.length for part in self.parts.values())

    def raw(self, licence: str | None) -> RawInput:
        """The input that a build reads."""
        extras = {role: text.encode("utf-8", "replace") for role, text in self.texts.items()}
        return RawInput(
            self.key, printable(self.member), extras=extras, licence=licence,
            problem=self.problem,
            parts={} if self.problem else dict(self.parts),
            layer_problems=dict(self.problems),
        )  # fmt: skip

    def as_json(self) -> list[Any]:
        """Plain values, of which `from_json` makes it again."""
        parts = {role: [part.url, part.start, part.length] for role, part in self.parts.items()}
        return [self.key, self.member, parts, dict(self.texts), dict(self.problems), self.problem]

    @classmethod
    def from_json(cls, values: Sequence[Any]) -> PairEntry:
        """The entry of `as_json`."""
        key, member, parts, texts, problems, problem = values
        places = {
            role: FilePart(url, start, length) for role, (url, start, length) in parts.items()
        }
        return cls(key, member, places, texts, problems, problem)


def slices_of(source: str, entries: Sequence[PairEntry], shard_samples: int) -> tuple[Slice, ...]:
    """Slices of listed pairs, a shard each.

    Args:
        source: name of the source.
        entries: the pairs, in order.
        shard_samples: pairs of a shard.
    """
    slices = []
    for number, chunk in enumerate(chunked(list(entries), shard_samples)):
        shard = f"{source}-{number:05d}"
        nbytes = sum(entry.nbytes for entry in chunk)
        slices.append(Slice(source, shard, _payload(chunk), (shard,), len(chunk), nbytes))
    return tuple(slices)


def entries_of(payload: bytes) -> list[PairEntry]:
    """The pairs that the note of a slice holds."""
    return [PairEntry.from_json(values) for values in json.loads(unpacked(payload))]


def beginning_of(payload: bytes, count: int) -> bytes:
    """The note of a slice with its first pairs alone."""
    return _payload(entries_of(payload)[:count])


def with_distinct_keys(inputs: Iterable[RawInput]) -> tuple[RawInput, ...]:
    """The inputs of a shard, where of several with one key the first one has it, and the others are
    rows of the ledger. (Of inputs in several shards, the build leaves out the later ones.)"""
    holders: dict[str, str] = {}
    distinct = []
    for raw in inputs:
        holder = holders.setdefault(raw.key, raw.member)
        if holder == raw.member:
            distinct.append(raw)
        else:
            problem = f"its key {cut(raw.key, 60)} is that of {holder}, which comes first"
            distinct.append(RawInput("", raw.member, problem=problem))
    return tuple(distinct)


def identity_of(entries: Iterable[PairEntry]) -> dict[str, str]:
    """What the pairs are, for the identity of a build: names, sizes and texts, and no places."""
    digest, count = hashlib.sha256(), 0
    for entry in entries:
        sizes = {role: part.length for role, part in entry.parts.items()}
        problems = [dict(entry.problems), entry.problem]
        line = [entry.key, entry.member, sizes, dict(entry.texts), *problems]
        digest.update(json.dumps(line).encode() + b"\n")
        count += 1
    return {"pairs": f"{count} pairs, listing sha256:{digest.hexdigest()[:32]}"}


def _payload(entries: Sequence[PairEntry]) -> bytes:
    # the names of local files may hold bytes that are no UTF-8, which orjson refuses
    return packed(json.dumps([entry.as_json() for entry in entries]).encode())


def first_problem(entries: Sequence[PairEntry]) -> str:
    """Why the first pair that lacks a file lacks it."""
    for entry in entries:
        for problem in (entry.problem, entry.problems.get("target")):
            if problem:
                return f"{entry.member}: {problem}"
    return "there is none"


def held_inputs(inputs: list[RawInput]) -> tuple[RawInput, ...]:
    """The inputs with the bytes of their files; members of tars are fetched where they are used."""
    whole = [
        replace(raw, parts={role: part for role, part in raw.parts.items() if not part.start})
        for raw in inputs
    ]
    return tuple(
        held
        if held.problem
        else replace(
            held,
            parts={**held.parts, **{role: p for role, p in raw.parts.items() if p.start}},
        )
        for raw, held in zip(inputs, with_held_files(whole), strict=True)
    )
