"""`corpus.json`: what a corpus is, which shards it has, what they add up to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from sgt_data.bounded_json import loads_bounded
from sgt_data.corpus.paths import CORPUS_FILE
from sgt_data.corpus.reversed_proxies import bases_of
from sgt_data.errors import CorpusError, FileMissing, LeavesRoot
from sgt_data.facts import CORPUS_FORMAT, FORMAT_MINOR, FORMAT_VERSION, NEWEST_MINOR
from sgt_data.files.file_signs import lfs_note
from sgt_data.files.reading import read_bytes
from sgt_data.files.urls import below
from sgt_data.files.writing import write_atomic
from sgt_data.foreign_errors import in_words
from sgt_data.names import checked_folder, checked_shard, checked_title
from sgt_data.records import Category
from sgt_data.redaction import fields_with_secrets, redacted, without_secrets
from sgt_data.value_text import cut

_KINDS: Mapping[str, tuple[type, type]] = {
    "manifest": (dict, object), "identity": (dict, object), "environment": (dict, str),
    "vocabulary": (dict, list), "fingerprints": (dict, str), "shards": (dict, list),
    "samples": (dict, list), "totals": (dict, dict), "source_totals": (dict, dict),
    "left_out": (list, str),
}  # fmt: skip
"""By field of a header: its kind, and that of the values in it."""

_WRITE_ANEW = "Remove it, and run the command that wrote the corpus again, which writes it anew"


@dataclass(frozen=True, slots=True)
class CorpusHeader:
    """The content of `corpus.json`.

    Attributes:
        name: of the corpus.
        manifest: resolved, every default written out.
        identity: what makes the build itself (see `identity`).
        environment: other package versions, for the record.
        vocabulary: categories by source.
        fingerprints: of the build, by proxy; every receipt repeats its own.
        complete: whether every planned shard is committed.
        shards: names by proxy, in corpus order. Empty until complete.
        samples: how many each of these shards holds, by proxy, in the same order. (Corpora of the
            first builds lack it; receipts say the same.)
        totals: by proxy: inputs, samples, damaged, filtered, segments, shards, bytes; notes,
            where there are any.
        source_totals: totals by proxy and source.
        parent: of a subset: `url` and `fingerprints` of the corpus that it was taken from, and
            sizes of the `population` that it was chosen from. None for a corpus that was built.
        minor: form of the samples' JSON, which a copy has from its corpus (see `stated_minor`).
        left_out: folders of the corpus that this copy of it lacks, as its pictures may not be
            passed on. Nothing else in the header speaks of them.
        limit: of a build that was limited to the first pictures of each source, and has made the
            shards that hold them: how many pictures. None for every other corpus.
    """

    name: str
    manifest: Mapping[str, Any]
    identity: Mapping[str, Any]
    environment: Mapping[str, str]
    vocabulary: Mapping[str, tuple[Category, ...]]
    fingerprints: Mapping[str, str]
    complete: bool = False
    shards: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    samples: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    totals: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    source_totals: Mapping[str, Mapping[str, Mapping[str, int]]] = field(default_factory=dict)
    parent: Mapping[str, Any] | None = None
    left_out: tuple[str, ...] = ()
    minor: int = FORMAT_MINOR
    limit: int | None = None

    @property
    def stated_minor(self) -> int:
        """Minor version of the format, as `corpus.json` states it."""
        return NEWEST_MINOR if bases_of(self.manifest) else self.minor

    @property
    def state(self) -> str:
        """How far the build is, in words."""
        if self.complete:
            return "complete"
        return "not complete yet" if self.limit is None else f"not complete: {self.limit_text}"

    @property
    def limit_text(self) -> str:
        """What a limited build was limited to, in words."""
        pictures = "picture" if self.limit == 1 else f"{self.limit:,} pictures"
        return f"limited to the first {pictures} of each source"


def not_complete(url: str, header: CorpusHeader) -> str:
    """What to say where a complete corpus is needed, and this one is not."""
    if header.limit is None:
        return f"{url} is not complete; build it to its end first"
    return (
        f"{url} is not complete: it is {header.limit_text}. The same build without a limit "
        "continues it; `view`, `preview`, `info` and `verify` take it as it is"
    )


def write_header(root: str, header: CorpusHeader) -> None:
    """Write `corpus.json` of the corpus at `root`, in one step."""
    write_atomic(below(root, CORPUS_FILE), encode_header(header))


def encode_header(header: CorpusHeader) -> bytes:
    """The bytes of `corpus.json`. Places lose passwords and queries, which may be signatures."""
    document = {"format": CORPUS_FORMAT, "version": FORMAT_VERSION, **asdict(header)}
    document["manifest"] = redacted(document["manifest"])
    if header.parent is None:
        del document["parent"]
    else:
        document["parent"]["url"] = without_secrets(document["parent"]["url"])
    if not header.left_out:
        del document["left_out"]
    if header.limit is None:
        del document["limit"]
    document["minor"] = header.stated_minor
    if not header.stated_minor:  # a copy of a corpus of format 1.0 is one as well
        del document["minor"]
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS
    return orjson.dumps(document, option=options) + b"\n"


HOLDS_SECRET = (
    "holds a password or the query of a URL, which may be a signature; run the command that wrote "
    "the file again, which leaves it out now, or take it out by hand; and make the key invalid if "
    "others have seen it"
)
"""What is wrong with a field that `header_secrets` names, and what to do."""

LEDGER_HOLDS_SECRET = (
    "holds a password or the query of a URL, which may be a signature; remove the shard's receipt "
    "and run the same build again; and make the key invalid if others have seen it"
)
"""What is wrong with such a row of a quarantine ledger, and what to do."""


def header_secrets(header: CorpusHeader) -> list[str]:
    """Fields of a header that hold a secret of a URL, as headers of earlier versions may."""
    document = {
        "manifest": header.manifest,
        "identity": {name: part for name, part in header.identity.items() if name != "files"},
        "parent": header.parent and {"url": header.parent.get("url")},
    }
    return list(fields_with_secrets(document))


def read_header(root: str) -> CorpusHeader | None:
    """The header of the corpus at `root`; None where no corpus lies.

    Raises:
        CorpusError: the file exists but is no header of this version.
    """
    place = below(root, CORPUS_FILE)
    try:
        data = read_bytes(place)
    except FileMissing:
        return None
    return parse_header(data, place)


def parse_header(data: bytes, place: str) -> CorpusHeader:
    """The header of a corpus, from the bytes of its file.

    Args:
        data: the file.
        place: its URL, for messages.

    Raises:
        CorpusError: it is no header of this version.
    """
    try:
        document = loads_bounded(data)
        if (document["format"], document["version"]) != (CORPUS_FORMAT, FORMAT_VERSION):
            raise CorpusError(
                f"{place}: format {document['format']!r} version {document['version']!r}; "
                f"this package reads {CORPUS_FORMAT!r} version {FORMAT_VERSION}"
            )
        _check_kinds(document)
        document["minor"] = _checked_minor(document.get("minor", 0), place)
        del document["format"], document["version"]
        document["vocabulary"] = {
            source: tuple(_category(category) for category in categories)
            for source, categories in document["vocabulary"].items()
        }
        document["shards"] = {
            proxy: tuple(map(str, names)) for proxy, names in document["shards"].items()
        }
        document["samples"] = {
            proxy: tuple(map(int, counts)) for proxy, counts in document.get("samples", {}).items()
        }
        document["left_out"] = tuple(map(str, document.get("left_out", ())))
        if type(document.get("limit", 1)) is not int or document.get("limit", 1) < 1:
            raise ValueError(f"limit is {cut(document['limit'], 40)}, not a number of pictures")
        header = CorpusHeader(**document)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as why:
        is_cut = isinstance(why, orjson.JSONDecodeError) and not place.startswith("hf://")
        note = lfs_note(data) or f". {_WRITE_ANEW}" * is_cut
        raise CorpusError(f"{place} is not a corpus header: {in_words(why)}{note}") from why
    _check_names(header, place)
    return header


def _check_kinds(document: Mapping[str, Any]) -> None:
    """Check what kind of value each field holds, and what its own values are.

    Raises:
        ValueError: a field holds another kind; names it.
    """
    for name, (kind, inner) in _KINDS.items():
        if name not in document:
            continue
        value = document[name]
        parts = value.values() if isinstance(value, dict) else value
        if not isinstance(value, kind) or not all(isinstance(part, inner) for part in parts):
            raise ValueError(f"field {name} is {cut(value, 40)}, which is of another kind")
    if not isinstance(document.get("parent"), dict | None):
        raise ValueError(f"field parent is {cut(document['parent'], 40)}")
    for totals in (document.get("totals", {}), *document.get("source_totals", {}).values()):
        for counts in totals.values():
            if not isinstance(counts, dict) or not all(type(n) is int for n in counts.values()):
                raise ValueError(f"the totals {cut(counts, 40)} are no counts")


def _checked_minor(minor: Any, place: str) -> int:
    """The form of the samples' JSON, from the minor version that a header states.

    Raises:
        CorpusError: it is none that this package reads.
    """
    if type(minor) is not int or minor < 0:
        raise CorpusError(f"{place}: minor is {cut(minor, 40)}, not a whole number from 0 on")
    if minor > NEWEST_MINOR:
        raise CorpusError(
            f"{place}: format version {FORMAT_VERSION}.{minor}; this version of sgt-data reads up "
            f"to {FORMAT_VERSION}.{NEWEST_MINOR}. Install a newer one"
        )
    return min(minor, FORMAT_MINOR)


def _check_names(header: CorpusHeader, place: str) -> None:
    """Check every name of which paths are made.

    Raises:
        LeavesRoot: a name could lead out of its folder; names the field.
    """
    by_folder = ("shards", "samples", "fingerprints", "totals", "source_totals")
    try:
        names: dict[str, Iterable[object]] = {name: getattr(header, name) for name in by_folder}
        names |= {
            "manifest.proxies": [proxy["name"] for proxy in header.manifest["proxies"]],
            "left_out": header.left_out,
        }
        shards: dict[str, Iterable[object]] = {
            f"shards.{folder}": listed for folder, listed in header.shards.items()
        }
    except (KeyError, TypeError):
        raise CorpusError(f"{place}: field manifest.proxies is no list of proxies") from None
    _check_each(checked_title, {"name": [header.name]}, place)
    _check_each(checked_folder, names, place)
    _check_each(checked_shard, shards, place)


def _check_each(
    check: Callable[[object], str], names: Mapping[str, Iterable[object]], place: str
) -> None:
    for field_name, values in names.items():
        for value in values:
            try:
                check(value)
            except ValueError as why:
                raise LeavesRoot(f"{place}, field {field_name}: {in_words(why)}") from None


def _category(fields: Mapping[str, Any]) -> Category:
    category = Category(**fields)
    kinds = {"id": int, "name": str, "isthing": bool}
    for name, kind in kinds.items():
        if not isinstance(fields[name], kind):
            raise ValueError(f"vocabulary: {name} of a category is {cut(fields[name], 40)}")
    return category
