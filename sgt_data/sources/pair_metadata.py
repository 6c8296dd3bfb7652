"""Pairs in lists: JSON Lines whose rows name input, target and text; or a text file of paths.

Names of files are never opened as they are: each is looked for among the files below a folder, so
that no row leads out of it, and lists with the absolute paths of another machine are read, too.
"""

from __future__ import annotations

import hashlib
import posixpath
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from sgt_data.bounded_json import loads_bounded
from sgt_data.errors import InputError, RequestError
from sgt_data.files.folder_walk import walk_folder
from sgt_data.files.not_pictures import is_system_file
from sgt_data.files.outside_json import parse_json
from sgt_data.files.reading import read_bytes, size_of
from sgt_data.files.urls import absolute, expand, join
from sgt_data.foreign_errors import in_words
from sgt_data.records import FilePart
from sgt_data.sources.folder_notes import printable
from sgt_data.sources.keys import unique_keys
from sgt_data.sources.pair_entry import PairEntry
from sgt_data.sources.pair_fields import (
    PairFields,
    facts_at,
    fields_of,
    first_text,
    single,
    value_at,
)
from sgt_data.sources.pair_folders import PairFolder
from sgt_data.sources.pair_names import NamedFiles, name_without, problem_of
from sgt_data.sources.relative_paths import RelativePaths, as_it_looks
from sgt_data.value_text import cut

LIST_BYTES_MAX = 4 << 30
"""Most bytes of a list of pairs, which is read as a whole; a million rows have half a gigabyte."""
_LOOKED_AT = 100
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a list.

    Attributes:
        place: file and number of the line, for ledgers.
        values: its fields; None where it is none.
        problem: why.
    """

    place: str
    values: Mapping[str, Any] | None
    problem: str | None = None


def read_list(url: str, field: str) -> bytes:
    """The bytes of a list.

    Raises:
        RequestError: it is larger than any list.
        SourceError: it cannot be read.
    """
    size = size_of(url)
    if size is not None and size > LIST_BYTES_MAX:
        raise RequestError(f"{field}: {url} has {size} bytes; a list has {LIST_BYTES_MAX} at most")
    return read_bytes(url)


def rows_of(patterns: str | Iterable[str], field: str) -> tuple[list[Row], str, str]:
    """The rows of the files that patterns name, in order.

    A file of JSON Lines has an object in each line; a file that begins with `[` is a JSON list.

    Args:
        patterns: URLs, brace and glob patterns.
        field: of the manifest, for messages.

    Returns:
        The rows, SHA-256 over the files, and the folder of the first file.

    Raises:
        RequestError: nothing matches, or a file is no list.
        SourceError: a file cannot be read.
    """
    urls = expand(patterns)
    if not urls:
        raise RequestError(f"{field}: nothing matches {cut(patterns)}")
    rows: list[Row] = []
    digest = hashlib.sha256()
    for url in urls:
        data = read_list(url, field)
        digest.update(data)
        rows += _rows(data, posixpath.basename(url.split("?", 1)[0]), field)
    if not any(row.values is not None for row in rows):
        raise RequestError(f"{field}: no row of {urls[0]} is a JSON object")
    return rows, digest.hexdigest()[:32], posixpath.dirname(urls[0])


def names_in_list(url: str, field: str) -> list[str]:
    """The paths of a text file, one in each line; blank lines are left out."""
    text = read_list(url, field).decode("utf-8-sig", "surrogateescape")
    return [line.strip() for line in text.splitlines() if line.strip()]


@dataclass(frozen=True, slots=True)
class ListedFiles:
    """The files below a folder, which rows name.

    Attributes:
        root: absolute URL of the folder.
        sizes: bytes of each file by path.
        paths: the paths, to be found by names that have more folders, or fewer.
    """

    root: str
    sizes: Mapping[str, int]
    paths: RelativePaths

    @classmethod
    def below(cls, root: str) -> ListedFiles:
        """List a folder.

        Raises:
            SourceError: it cannot be listed.
        """
        place = absolute(root)
        listing = walk_folder(place).sizes
        sizes = {path: size for path, size in listing.items() if not is_system_file(path)}
        return cls(place, sizes, RelativePaths(sizes))

    def path_of(self, name: Any, what: str) -> str:
        """The file that a name stands for.

        Raises:
            InputError: there is none, or it is not known which.
        """
        name = single(name, what)
        if isinstance(name, Mapping):
            name = name.get("path")
        if not isinstance(name, str) or not name.strip():
            raise InputError(f"{what}: found {cut(name, 60)}, which names no file")
        matches = self.paths.find(name.strip())
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise InputError(
                f"{what}: {cut(name)} may be {' or '.join(matches[:3])} below {self.root}; state "
                "as root the folder that names begin in"
            )
        raise InputError(f"{what}: there is no {cut(name)} below {self.root}")

    def part(self, path: str) -> FilePart:
        """All bytes of a file."""
        return FilePart(join(self.root, path), 0, self.sizes[path])


@dataclass(frozen=True, slots=True)
class ListedPairs:
    """How the rows of lists become pairs.

    Attributes:
        source: name of the source.
        fields: which fields of a row are read.
        files: that rows name.
        targets: the folder of targets that have the names of pictures, where rows name none.
    """

    source: str
    fields: PairFields
    files: ListedFiles
    targets: PairFolder | None

    def entries(self, rows: Sequence[Row]) -> list[PairEntry]:
        """The pairs that rows name, in their order; and the rows that name none."""
        pictures = [self._picture(row) for row in rows]
        read = [path for path in pictures if not isinstance(path, InputError)]
        names = Counter(posixpath.basename(as_it_looks(name_without(path, None))) for path in read)
        by_name = NamedFiles(self.targets.sizes, None) if self.targets else None
        entries, ids = [], []
        uses = Counter(read)
        shared = posixpath.commonpath([posixpath.dirname(path) or "." for path in read] or ["."])
        for row, picture in zip(rows, pictures, strict=True):
            if isinstance(picture, InputError):
                entries.append(PairEntry("", row.place, problem=str(picture)))
                ids.append("")
                continue
            parts, problems = {"picture": self.files.part(picture)}, dict[str, str]()
            try:
                parts["target"] = self._target(row, picture, by_name, names)
            except InputError as why:
                problems["target"] = printable(str(why))
            texts = self._texts(row, problems)
            entries.append(PairEntry("", picture, parts, texts, problems))
            stated = self._id(row, picture, uses[picture], parts.get("target"))
            ids.append(stated.removeprefix(f"{shared}/"))
        return self._with_keys(entries, ids)

    def _picture(self, row: Row) -> str | InputError:
        if row.values is None:
            return InputError(row.problem or "it is no row")
        try:
            return self.files.path_of(value_at(row.values, self.fields.input), "input")
        except InputError as why:
            return InputError(printable(str(why)))

    def _target(
        self, row: Row, picture: str, by_name: NamedFiles | None, names: Mapping[str, int]
    ) -> FilePart:
        assert row.values is not None
        if by_name is None or self.targets is None:
            value = value_at(row.values, self.fields.target or "")
            return self.files.part(self.files.path_of(value, "target"))
        stem = name_without(picture, None)
        matches = by_name.of(stem, names)
        if len(matches) != 1:
            raise InputError(problem_of("target", stem, matches))
        return self.targets.part(matches[0])

    def _texts(self, row: Row, problems: dict[str, str]) -> dict[str, str]:
        """What the row itself says, by role: its text, and the JSON of the target."""
        assert row.values is not None
        texts = {}
        readers: dict[str, tuple[str | None, Callable[[str], str]]] = {
            "text": (self.fields.text, lambda path: first_text(value_at(row.values or {}, path))),
            "target_facts": (
                self.fields.facts, lambda path: facts_at(row.values or {}, path).decode()
            ),
        }  # fmt: skip
        for role, (path, read) in readers.items():
            try:
                if path is not None:
                    texts[role] = read(path)
            except InputError as why:
                problems[role] = str(why)
        return texts

    def _id(self, row: Row, picture: str, uses: int, target: FilePart | None) -> str:
        """What tells a pair from others: the row's own key, its picture, or both its files where
        several rows have the picture."""
        if self.fields.key is not None and row.values is not None:
            value = value_at(row.values, self.fields.key)
            if isinstance(value, str | int) and str(value).strip():
                return f"{value}.row"
        if uses == 1 or target is None:
            return picture
        name = posixpath.basename(name_without(target.url, None))
        return f"{name_without(picture, None)}/{name}.pair"

    def _with_keys(self, entries: Sequence[PairEntry], ids: Sequence[str]) -> list[PairEntry]:
        """The entries with their keys; of several with one id all but the first have a number."""
        counts: Counter[str] = Counter()
        unique = []
        for each in ids:
            counts[each] += 1
            stem, ending = posixpath.splitext(each)
            unique.append(each if counts[each] == 1 else f"{stem}/{counts[each]}{ending}")
        keys = unique_keys(self.source, dict.fromkeys(filter(None, unique)))
        return [
            replace(entry, key=keys[each]) if each else entry
            for entry, each in zip(entries, unique, strict=True)
        ]


def fields_in(
    rows: Sequence[Row], stated: Mapping[str, str | None], needed: Sequence[str], where: str
) -> PairFields:
    """The fields of rows, by what a manifest states and the first rows have.

    Args:
        rows: of the lists.
        stated: paths by role.
        needed: roles that rows must have.
        where: the manifest's source, for messages.

    Raises:
        RequestError: rows have no such field, or several may be meant.
    """
    names: dict[str, None] = {}
    for row in [row for row in rows if row.values is not None][:_LOOKED_AT]:
        names.update(dict.fromkeys(row.values or ()))
    return fields_of(stated, list(names), needed, where)


def _rows(data: bytes, name: str, field: str) -> list[Row]:
    if data.lstrip()[:1] == b"[":
        try:
            document = parse_json(data, name)
        except InputError as why:
            raise RequestError(f"{field}: {why}") from why
        return [_row(f"{name} item {number}", item) for number, item in enumerate(document, 1)]
    return [
        _parsed_line(f"{name} line {number}", line)
        for number, line in enumerate(data.removeprefix(_BOM).split(b"\n"), 1)
        if line.strip()
    ]


def _parsed_line(place: str, line: bytes) -> Row:
    try:
        return _row(place, loads_bounded(line))
    except orjson.JSONDecodeError as why:
        return Row(place, None, in_words(why))


def _row(place: str, value: Any) -> Row:
    if not isinstance(value, dict):
        return Row(place, None, f"found {cut(value, 60)}, which is no row with fields")
    return Row(place, value)
