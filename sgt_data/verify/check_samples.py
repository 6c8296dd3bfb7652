"""Check the tar of one shard: members against its index, targets and inputs against the facts."""

from __future__ import annotations

import io
import tarfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from PIL import Image

from sgt_data.bounded_json import loads_bounded
from sgt_data.corpus.header import CorpusHeader
from sgt_data.corpus.identity import bank_digest
from sgt_data.corpus.paths import INPUT
from sgt_data.corpus.receipt import Receipt
from sgt_data.corpus.shard import file_digest, member_names
from sgt_data.errors import CorpusError
from sgt_data.facts import drawn_segments
from sgt_data.foreign_errors import in_words
from sgt_data.plugins.member import is_own
from sgt_data.plugins.traces import file_of_class, where_raised
from sgt_data.prompts.bank import Bank, choose_instruction, load_bank
from sgt_data.proxies.base import Proxy
from sgt_data.value_text import cut
from sgt_data.verify.check_reversed import BasePictures, type_of


@dataclass(frozen=True, slots=True)
class TarToCheck:
    """All that a tar is compared with.

    Attributes:
        header: header of the corpus.
        folder: the folder of the corpus: a proxy, or the shared inputs.
        receipt: receipt of the shard.
        rows: rows of the shard's index.
        kind: class of the proxy, which decodes targets; None where it is not installed.
        bank: lines of the manifest's own; None where the proxy has a built-in bank.
        base: pictures that the samples take from another proxy; None where they have their own.
    """

    header: CorpusHeader
    folder: str
    receipt: Receipt
    rows: Sequence[Mapping[str, Any]]
    kind: type[Proxy] | None
    bank: Bank | None = None
    base: BasePictures | None = None


def check_tar(shard: TarToCheck, tar: bytes) -> Iterator[str]:
    """All that is wrong with the bytes of a tar, a sentence each."""
    if file_digest(tar) != shard.receipt["tar"]:
        yield "size or SHA-256 is not what its receipt says"
    try:
        with tarfile.open(fileobj=io.BytesIO(tar), mode="r:") as archive:
            members = archive.getmembers()
    except (tarfile.TarError, EOFError, ValueError) as error:
        yield f"it is no tar: {in_words(error)}"
        return
    expected = [name for row in shard.rows for name in member_names(row).values()]
    if [member.name for member in members] != expected:
        yield "its members are not those of its index, in order"
        return
    if any(member.mtime or member.uid or member.gid for member in members):
        yield "a member has a time or an owner"
    member_of = {member.name: member for member in members}
    for row in shard.rows:
        contents = {}
        for part, name in member_names(row).items():
            member = member_of[name]
            data = tar[member.offset_data : member.offset_data + member.size]
            contents[part] = data
            stated = tuple(row[f"{part}_{field}"] for field in ("offset", "size", "crc32"))
            if stated != (member.offset_data, member.size, zlib.crc32(data)):
                yield f"{name}: offset, size or CRC-32 is not what the index says"
        for problem in _check_sample(shard, row, contents):
            yield f"{row['key']}: {problem}"


def _check_sample(
    shard: TarToCheck, row: Mapping[str, Any], contents: Mapping[str, bytes]
) -> Iterator[str]:
    try:
        facts = loads_bounded(contents["facts"])
        stated = {
            "key": facts["key"],
            "proxy": facts.get("proxy", INPUT),
            "width": facts["size"]["width"],
            "height": facts["size"]["height"],
            "member": facts["source"]["member"],
            "source_sha256": facts["source"]["sha256"],
            "licence": facts["source"]["licence"] or None,
        }
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        yield f"its JSON is damaged: {in_words(error)}"
        return
    if (minor := facts.get("minor", 0)) != shard.header.minor:
        yield f"its JSON has the form of format 1.{minor}, corpus.json says 1.{shard.header.minor}"
    for name, value in stated.items():
        expected = shard.folder if name == "proxy" else row[name]
        if value != expected:
            yield f"its JSON says {name} {value!r}, the index {expected!r}"
    if "input" in contents:
        yield from _check_input(contents["input"], (row["width"], row["height"]))
    if shard.folder != INPUT:
        yield from _check_target(shard, row, contents, facts)
    elif contents.keys() != {"input", "facts"}:
        yield f"a shared input has {', '.join(contents)}"


def _check_target(
    shard: TarToCheck,
    row: Mapping[str, Any],
    contents: Mapping[str, bytes],
    facts: Mapping[str, Any],
) -> Iterator[str]:
    if shard.base is not None:
        yield from _check_reversed(shard, shard.base, contents, facts)
        return
    if not {"target", "instruction"} <= contents.keys():
        yield f"it has only {', '.join(contents)}"
        return
    if "input" not in contents and shard.header.manifest.get("inputs") != "shared":
        yield "it has no input, and inputs are not shared"
    if (drawn := _drawn_count(facts)) != row["segments"]:
        yield f"its JSON has {drawn} drawn segments, the index {row['segments']}"
    yield from _check_instruction(shard, facts, contents["instruction"])
    stated = type_of(shard.header, shard.folder)
    if facts.get("type") != stated:
        yield f"its JSON says type {cut(facts.get('type'), 60)}, the manifest {stated!r}"
    elif shard.kind is not None:
        yield from _contradictions(shard.kind, contents, facts)


def _check_reversed(
    shard: TarToCheck, base: BasePictures, contents: Mapping[str, bytes], facts: Mapping[str, Any]
) -> Iterator[str]:
    """Whatever is wrong with a sample whose pictures lie elsewhere, where they are decoded."""
    if contents.keys() != {"instruction", "facts"}:
        yield f"a sample of a reversed proxy has {', '.join(contents)}"
        return
    yield from _check_instruction(shard, facts, contents["instruction"])
    stated = type_of(shard.header, shard.folder)
    if facts.get("type") != stated:
        yield f"its JSON says type {cut(facts.get('type'), 60)}, the manifest {stated!r}"
    yield from base.problems(str(facts["key"]), facts)


def _contradictions(
    kind: type[Proxy], contents: Mapping[str, bytes], facts: Mapping[str, Any]
) -> list[str]:
    """What a proxy's own reading of target and instruction finds wrong; a mistake of own code is a
    problem as well."""
    instruction = contents["instruction"].decode("utf-8", "replace")
    try:
        return [
            *kind.contradictions(contents["target"], facts),
            *kind.instruction_contradictions(instruction, facts),
        ]
    except CorpusError as error:
        return [str(error)]
    except Exception as why:
        if not is_own(kind):
            raise
        return [f"{kind.__name__}.decode: {where_raised(why, file_of_class(kind))}"]


def _drawn_count(facts: Mapping[str, Any]) -> int | None:
    """How many segments the facts state as drawn; None where they state something else."""
    try:
        return len(drawn_segments(facts.get("segments", ())))
    except (KeyError, TypeError):
        return None


def _check_input(picture: bytes, size: tuple[int, int]) -> Iterator[str]:
    try:
        with Image.open(io.BytesIO(picture), formats=["JPEG"]) as image:
            image.load()
            if image.size != size or image.mode != "RGB":
                yield f"its input is {image.mode} {image.size}, not RGB {size}"
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        yield f"its input cannot be decoded: {in_words(error)}"


def _check_instruction(shard: TarToCheck, facts: Mapping[str, Any], text: bytes) -> Iterator[str]:
    """Whether the instruction is the line that seed and key choose.

    Of a built-in bank that is known only while this package has the bank of the build. Of an
    earlier bank it is known that the words of the sample stand in the line.
    """
    instruction = text.decode("utf-8", "replace")
    try:
        name = facts["instruction"]["bank"]
        words = facts["instruction"].get("words") or {}
        if shard.bank is not None and shard.bank.name != name:
            yield f"its instruction is of bank {cut(name, 60)}, corpus.json has {shard.bank.name!r}"
            return
        bank = shard.bank or load_bank(name)
        if shard.header.identity["banks"][shard.folder] != bank_digest(bank):
            lacking = [word for word in words.values() if word.strip() not in instruction]
            if lacking or not instruction:
                yield f"its instruction is empty or lacks the words {cut(lacking)}"
            return
        chosen = choose_instruction(bank, facts["seed"], facts["key"], words)
    except (KeyError, TypeError, AttributeError, OSError) as error:
        yield f"its JSON names no instruction: {in_words(error)}"
        return
    if instruction != chosen.text or facts["instruction"]["line"] != chosen.line:
        yield "its instruction is not the line that seed and key choose"
