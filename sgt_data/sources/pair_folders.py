"""Pairs in folders: pictures, targets and texts that have the same names."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sgt_data.errors import RequestError
from sgt_data.files.folder_walk import FolderListing, walk_folder
from sgt_data.files.not_pictures import is_system_file
from sgt_data.files.urls import absolute, join
from sgt_data.pictures.suffixes import PICTURE_SUFFIXES
from sgt_data.records import FilePart
from sgt_data.sources.folder_notes import dangling_notes, printable
from sgt_data.sources.keys import unique_keys
from sgt_data.sources.pair_entry import PairEntry
from sgt_data.sources.pair_names import NamedFiles, has_ending, name_without, problem_of
from sgt_data.sources.relative_paths import RelativePaths, as_it_looks
from sgt_data.value_text import counted

PAIR_SUFFIXES = (*PICTURE_SUFFIXES, ".image")
"""Endings of pictures and targets; `.image` is that of our exports for reversed samples."""
_TEXT_SUFFIXES = (".txt",)


@dataclass(frozen=True, slots=True)
class PairFolder:
    """A folder of files of one role.

    Attributes:
        place: absolute URL.
        sizes: bytes of its files of the right ending, by path below it.
        suffix: the stated ending; None for the usual ones.
        notes: remarks on what was not listed.
    """

    place: str
    sizes: Mapping[str, int]
    suffix: str | None
    notes: tuple[str, ...] = ()

    def part(self, path: str) -> FilePart:
        """All bytes of a file."""
        return FilePart(join(self.place, path), 0, self.sizes[path])

    def urls(self) -> set[str]:
        """Where its files lie."""
        return {join(self.place, path) for path in self.sizes}

    def without(self, urls: set[str]) -> PairFolder:
        """The folder without some files."""
        sizes = {
            path: size for path, size in self.sizes.items() if join(self.place, path) not in urls
        }
        return PairFolder(self.place, sizes, self.suffix, self.notes)


def list_role(
    folder: str, suffix: str | None, usual: tuple[str, ...], field_name: str
) -> PairFolder:
    """List the files of a role below a folder.

    Args:
        folder: URL.
        suffix: the ending of its files; None for the usual ones.
        usual: the usual endings.
        field_name: of the manifest, for messages.

    Raises:
        RequestError: there is no such file.
        SourceError: it cannot be listed.
    """
    place = absolute(folder)
    listing: FolderListing = walk_folder(place)
    files = {name: size for name, size in listing.sizes.items() if not is_system_file(name)}
    sizes = {name: size for name, size in files.items() if has_ending(name, suffix, usual)}
    if not sizes:
        seen = f"; files there: {', '.join(list(files)[:3])}" if files else ", nor any other file"
        ending = suffix or ", ".join(usual[:4])
        raise RequestError(f"{field_name}: no file below {place} ends with {ending}{seen}")
    notes = dangling_notes(place, listing)
    notes += [f"{join(place, link)} {why}" for link, why in listing.refused.items()]
    return PairFolder(place, sizes, suffix, tuple(notes))


@dataclass(frozen=True, slots=True)
class FoldersOfPairs:
    """The folders of a source.

    Attributes:
        source: name of the source.
        pictures, targets: the folders.
        texts: the folder of texts, where there is one.
    """

    source: str
    pictures: PairFolder
    targets: PairFolder
    texts: PairFolder | None = None

    def entries(self, chosen: Sequence[str] | None = None) -> list[PairEntry]:
        """The pairs in the order of the pictures' paths; then targets without picture.

        Args:
            chosen: paths of the pictures that are taken, in that order; None for all. Targets of
                others are no inputs then.
        """
        pictures = list(self.pictures.sizes)
        keys = unique_keys(self.source, pictures)
        stems = {path: name_without(path, self.pictures.suffix) for path in pictures}
        names = Counter(posixpath.basename(as_it_looks(stem)) for stem in stems.values())
        roles = {"target": self.targets} | ({"text": self.texts} if self.texts else {})
        files = {role: NamedFiles(each.sizes, each.suffix) for role, each in roles.items()}
        entries, used = [], set[str]()
        for path in pictures if chosen is None else chosen:
            parts, problems = {"picture": self.pictures.part(path)}, {}
            for role, named in files.items():
                matches = named.of(stems[path], names)
                used.update(matches if role == "target" else ())
                if len(matches) == 1:
                    parts[role] = roles[role].part(matches[0])
                else:
                    problems[role] = printable(problem_of(role, stems[path], matches))
            entries.append(PairEntry(keys[path], path, parts, problems=problems))
        return entries if chosen is not None else [*entries, *self._alone(used)]

    def _alone(self, used: set[str]) -> Iterator[PairEntry]:
        """Targets that belong to no picture."""
        alone = [path for path in self.targets.sizes if path not in used]
        for path in alone:
            problem = f"there is the target {printable(path)} but no picture of its name"
            yield PairEntry("", path, problem=problem)


def list_folders_of_pairs(
    source: str,
    pictures: tuple[str, str | None],
    targets: tuple[str, str | None],
    texts: tuple[str, str | None] | None,
) -> FoldersOfPairs:
    """List the folders of pairs.

    Args:
        source: name of the source.
        pictures, targets, texts: folder, and ending of its files where it is stated.

    Raises:
        RequestError: a folder has no such file.
        SourceError: a folder cannot be listed.
    """
    where = f"sources.{source}"
    of_targets = list_role(*targets, PAIR_SUFFIXES, f"{where}.targets")
    of_pictures = list_role(*pictures, PAIR_SUFFIXES, f"{where}.pictures")
    alone = of_pictures.without(of_targets.urls())
    if not alone.sizes:
        raise RequestError(
            f"{where}.pictures: all {counted(len(of_pictures.sizes), 'file')} below "
            f"{of_pictures.place} are targets; give another folder, or target_suffix: their ending"
        )
    of_texts = None if texts is None else list_role(*texts, _TEXT_SUFFIXES, f"{where}.texts")
    return FoldersOfPairs(source, alone, of_targets, of_texts)


def chosen_pictures(
    names: Sequence[str], pictures: Collection[str]
) -> tuple[list[str], list[PairEntry]]:
    """The pictures that a list names, each once; and a row for each name of none."""
    paths = RelativePaths(pictures)
    chosen: dict[str, None] = {}
    lacking = []
    for number, name in enumerate(names, 1):
        matches = paths.find(name)
        if len(matches) == 1 and matches[0] not in chosen:
            chosen[matches[0]] = None
            continue
        if not matches:
            problem = f"line {number} of the list names no picture of the folder"
        elif len(matches) == 1:
            problem = f"line {number} of the list names a picture again"
        else:
            problem = f"line {number} of the list may name {' or '.join(matches[:3])}"
        lacking.append(PairEntry("", name, problem=problem))
    return list(chosen), lacking
