"""The files of drawings: folders, tars, globs and single files, told apart by proxy and key.

A drawing is named for its sample: `KEY.png`, `KEY.target.png` or `KEY.anything.jpg`. The key ends
at the first dot. A part of its path that is the name of a proxy (a folder, or the name of a tar
without its suffix) says for which proxy it was drawn. Nothing is unpacked, and no name of a member
is a path.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from sgt_data.errors import FileMissing, PictureError, RequestError
from sgt_data.files.folder_entries import is_unseen
from sgt_data.files.folder_walk import walk_folder
from sgt_data.files.forward_reader import ForwardReader
from sgt_data.files.reading import exists, is_folder, read_bytes, read_range
from sgt_data.files.tar_walk import TarDamage, TarMember, walk_tar
from sgt_data.files.urls import Location, expand, join
from sgt_data.names import is_key
from sgt_data.pictures.suffixes import PICTURE_SUFFIXES
from sgt_data.scoring.drawing_pixels import DRAWING_BYTES_MAX
from sgt_data.value_text import counted, cut

_TAR = ".tar"
_INPUT = "input"


@dataclass(frozen=True, slots=True)
class DrawnFile:
    """A file of a drawing, which is read where it is needed.

    Attributes:
        url: of the file, or of the tar that holds it.
        start: its first byte in the tar; None for a file of its own.
        nbytes: its size; 0 where a server does not tell.
        name: its path below the place that was asked for, for messages.
    """

    url: str
    start: int | None
    nbytes: int
    name: str

    def read(self) -> bytes:
        """The file's bytes.

        Raises:
            PictureError: it is too large, or gone.
            SourceError: it cannot be read, after several attempts.
        """
        if self.nbytes > DRAWING_BYTES_MAX:
            raise PictureError(f"its {self.nbytes:,} bytes are more than {DRAWING_BYTES_MAX:,}")
        try:
            if self.start is not None:
                return read_range(self.url, self.start, self.nbytes)
            return read_bytes(self.url)
        except FileMissing as why:
            raise PictureError(str(why)) from why


@dataclass(slots=True)
class DrawnFiles:
    """What lies at the places that were asked for.

    Attributes:
        by_proxy: files by the proxy that their path names, and by key; under the empty name those
            whose path names none.
        passed_over: how many files are no drawings: texts, JSON, inputs of samples.
        nameless: names of pictures that cannot be those of a key.
        notes: what is wrong with tars and with other entries of folders.
    """

    by_proxy: dict[str, dict[str, DrawnFile]] = field(default_factory=dict)
    passed_over: int = 0
    nameless: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, drawn: DrawnFile, proxies: Collection[str]) -> None:
        """Take note of a file.

        Raises:
            RequestError: another file is a drawing of the same sample.
        """
        folder, base = posixpath.split(drawn.name)
        key, _, rest = base.partition(".")
        *middle, suffix = rest.lower().split(".")
        if f".{suffix}" not in PICTURE_SUFFIXES or _INPUT in middle:
            self.passed_over += 1
            return
        if not is_key(key):
            self.nameless.append(drawn.name)
            return
        parts = (part.removesuffix(_TAR) for part in folder.split("/"))
        proxy = next((part for part in parts if part in proxies), "")
        of_proxy = self.by_proxy.setdefault(proxy, {})
        other = of_proxy.setdefault(key, drawn)
        if other is not drawn:
            for_proxy = f" for {proxy}" if proxy else ""
            no_proxy = "" if proxy else ", and no folder of their paths is a proxy of the corpus"
            raise RequestError(
                f"two files are drawings of {key}{for_proxy}: {cut(other.name, 120)} and "
                f"{cut(drawn.name, 120)}{no_proxy}; take one away, or name a folder with one of "
                "each"
            )


def list_drawn(places: Sequence[Location], proxies: Collection[str]) -> DrawnFiles:
    """Find the files of drawings.

    Args:
        places: folders, which are listed with all below them, tars, files, and patterns of these.
        proxies: names of the corpus' proxies.

    Raises:
        RequestError: nothing is at a place, or two files are drawings of one sample.
        SourceError: a place cannot be listed or read, after several attempts.
    """
    files = DrawnFiles()
    for place in places:
        urls = expand(str(place))
        if not urls:
            raise RequestError(f"{place}: no file matches this pattern")
        for url in urls:
            for drawn in _files_at(url.rstrip("/"), files):
                files.add(drawn, proxies)
    return files


def _files_at(url: str, files: DrawnFiles) -> Iterator[DrawnFile]:
    if is_folder(url):
        listing = walk_folder(url)
        files.notes += [
            f"{name}: it is passed over; a pipe, a socket or a device is no file"
            for name in listing.devices
        ]
        files.notes += [f"{name}: {reason}" for name, reason in listing.dangling.items()]
        for name, nbytes in listing.sizes.items():
            if not is_unseen(name):
                yield from _file_or_members(join(url, name), name, nbytes, files)
    elif exists(url):
        # of a single file, or one that a pattern matches, the folder may name the proxy
        folder, base = posixpath.split(url)
        name = join(posixpath.basename(folder), base)
        yield from _file_or_members(url, name, 0, files)
    else:
        raise RequestError(f"{url}: there is no such file or folder; give the drawings' place")


def _file_or_members(url: str, name: str, nbytes: int, files: DrawnFiles) -> Iterator[DrawnFile]:
    """The file itself, or the members of a tar."""
    if not name.lower().endswith(_TAR):
        yield DrawnFile(url, None, nbytes, name)
        return
    with closing(ForwardReader(url)) as reader:
        for entry in walk_tar(reader):
            if isinstance(entry, TarMember):
                yield DrawnFile(url, entry.start, entry.size, f"{name}/{entry.name}")
            elif isinstance(entry, TarDamage):
                files.notes.append(f"{name}: {_damage_text(entry)}")


def _damage_text(damage: TarDamage) -> str:
    lost = f" ({damage.member})" if damage.member else ""
    extent = f", {counted(damage.length, 'byte')}" if damage.length else ""
    return f"{damage.reason}{lost}{extent} from byte {damage.position:,} on"
