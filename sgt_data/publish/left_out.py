"""`left-out.json`: what a copy lacks whose pictures were not passed on.

With it, and with the pictures, the copy becomes the whole corpus again, byte for byte: it holds the
header of the whole corpus, and SHA-256 of the receipts of all shards that the copy lacks, which in
turn commit their bytes. It holds no picture.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sgt_data.bounded_json import loads_bounded
from sgt_data.corpus.header import CorpusHeader, encode_header, parse_header
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.paths import INPUT, LEFT_OUT_FILE, receipt_path
from sgt_data.errors import CorpusError, FileMissing
from sgt_data.files.reading import read_bytes
from sgt_data.files.urls import below
from sgt_data.foreign_errors import in_words
from sgt_data.value_text import counted

_FORMAT = "sgt_data left out"
_THREADS = 16

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


@dataclass(frozen=True, slots=True)
class LeftOutRecord:
    """What `left-out.json` states.

    Attributes:
        header: of the whole corpus. Of a subset that was cut out while it was pushed, totals of
            the folders that the copy lacks are those that its subset file states.
        receipts: SHA-256 of the receipt of each shard, by folder that the copy lacks, in corpus
            order; empty where a subset was cut out while it was pushed.
        pictures: by shard and key: member and SHA-256 of the pictures that the index of
            `reference_folders` does not name.
    """

    header: CorpusHeader
    receipts: Mapping[str, tuple[str, ...]]
    pictures: Mapping[str, Mapping[str, tuple[str, str]]]


class _Document(BaseModel):
    """The file, as it comes from outside."""

    model_config = ConfigDict(extra="forbid")

    format: Literal["sgt_data left out"]
    version: Literal[1]
    corpus: dict[str, Any]
    receipts: dict[str, tuple[Sha256, ...]]
    pictures: dict[str, dict[str, tuple[str, Sha256]]]


def left_out_record(
    corpus: Corpus, header: CorpusHeader, left_out: tuple[str, ...]
) -> LeftOutRecord:
    """State what a copy of a corpus lacks.

    Args:
        corpus: the whole corpus, or a subset of it.
        header: of the copy.
        left_out: folders of the corpus that the copy lacks, the shared inputs among them.

    Raises:
        CorpusError, SourceError: the corpus is damaged, or cannot be read just now.
    """
    references = reference_folders(header)

    def digest(place: tuple[str, str]) -> str:
        return hashlib.sha256(read_bytes(below(corpus.url, receipt_path(*place)))).hexdigest()

    def unnamed(shard: str) -> dict[str, tuple[str, str]]:
        named = set(keys_of(corpus, references[shard], shard)) if shard in references else set()
        return {
            key: stated for key, stated in pictures_of(corpus, INPUT, shard).items()
            if key not in named
        }  # fmt: skip

    shards = corpus.header.shards
    with ThreadPoolExecutor(_THREADS) as threads:
        receipts = {
            folder: tuple(threads.map(digest, [(folder, shard) for shard in shards[folder]]))
            for folder in (left_out if corpus.selection is None else ())
        }
        pictures = dict(zip(shards[INPUT], threads.map(unnamed, shards[INPUT]), strict=True))
    stated = {shard: of_shard for shard, of_shard in pictures.items() if of_shard}
    return LeftOutRecord(corpus.header, receipts, stated)


def reference_folders(header: CorpusHeader) -> dict[str, str]:
    """By shard of a copy: the folder whose index names the most pictures; the first of several."""
    most: dict[str, tuple[int, str]] = {}
    for proxy in header.manifest["proxies"]:
        folder = proxy["name"]
        shards = header.shards.get(folder, ())
        counts = header.samples.get(folder, (0,) * len(shards))
        for shard, count in zip(shards, counts, strict=True):
            if shard not in most or count > most[shard][0]:
                most[shard] = count, folder
    return {shard: folder for shard, (_, folder) in most.items()}


def pictures_of(corpus: Corpus, folder: str, shard: str) -> dict[str, tuple[str, str]]:
    """By key: member and SHA-256 of the pictures that an index names.

    Raises:
        CorpusError, SourceError: the index is damaged, or cannot be read just now.
    """
    columns = ("key", "member", "source_sha256")
    rows = corpus.restricted(corpus.stored_index(folder, shard, columns), shard)
    keys, members, digests = (rows[name].to_pylist() for name in columns)
    return {
        key: (member, sha256) for key, member, sha256 in zip(keys, members, digests, strict=True)
    }


def keys_of(corpus: Corpus, folder: str, shard: str) -> list[str]:
    """The keys of an index.

    Raises:
        CorpusError, SourceError: the index is damaged, or cannot be read just now.
    """
    keys: list[str] = corpus.restricted(corpus.stored_index(folder, shard, ("key",)), shard)[
        "key"
    ].to_pylist()
    return keys


def encode_record(record: LeftOutRecord) -> bytes:
    """The bytes of `left-out.json`."""
    document = {
        "format": _FORMAT,
        "version": 1,
        "corpus": orjson.loads(encode_header(record.header)),
        "receipts": record.receipts,
        "pictures": record.pictures,
    }
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS) + b"\n"


def read_record(root: str) -> LeftOutRecord | None:
    """What the copy at `root` states of what it lacks; None where it states nothing.

    Raises:
        CorpusError: its file is damaged, or of another version.
        SourceError: it cannot be read just now.
    """
    place = below(root, LEFT_OUT_FILE)
    try:
        document = _Document.model_validate(loads_bounded(read_bytes(place)))
    except FileMissing:
        return None
    except (orjson.JSONDecodeError, ValidationError) as why:
        raise CorpusError(
            f"{place} is not what a push writes there, or of another version: {in_words(why)}"
        ) from why
    header = parse_header(orjson.dumps(document.corpus), f"{place}, field corpus")
    for folder, digests in document.receipts.items():
        if len(digests) != len(header.shards.get(folder, ())):
            raise CorpusError(
                f"{place}: receipts.{folder} has {counted(len(digests), 'digest')}; the corpus has "
                f"{len(header.shards.get(folder, ()))} such shards"
            )
    return LeftOutRecord(header, document.receipts, document.pictures)


@dataclass(frozen=True, slots=True)
class ExpectedPictures:
    """The pictures that the targets of a copy were drawn from, and those of what it lacks.

    Attributes:
        copy: the copy.
        references: by shard: the folder of the copy whose index names most of them.
        unnamed: by shard: member and SHA-256, by key, of those that this index does not name.
    """

    copy: Corpus
    references: Mapping[str, str]
    unnamed: Mapping[str, Mapping[str, tuple[str, str]]]

    def of(self, shard: str) -> dict[str, tuple[str, str]]:
        """By key: member and SHA-256 of the pictures of a shard.

        Raises:
            CorpusError, SourceError: the index is damaged, or cannot be read just now.
        """
        folder = self.references.get(shard)
        named = pictures_of(self.copy, folder, shard) if folder else {}
        return {**named, **self.unnamed.get(shard, {})}
