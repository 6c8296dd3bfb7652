"""Pairs in tars: members of one stem, each told by the ending of its name."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from sgt_data.errors import RequestError
from sgt_data.files.forward_reader import ForwardReader
from sgt_data.files.not_pictures import is_system_file
from sgt_data.files.tar_walk import TarMember, walk_tar

_PROBED = 64


@dataclass(frozen=True, slots=True)
class MemberEndings:
    """The endings by which members are told.

    Attributes:
        endings: by role, in lower case: `.jpg`, `.target.png`.
    """

    endings: Mapping[str, str]

    def role(self, member: str) -> tuple[str, str] | None:
        """Path of a member without its ending, and its role; the longest ending counts."""
        name = posixpath.basename(member).lower()
        fitting = [
            (len(ending), role)
            for role, ending in self.endings.items()
            if name.endswith(ending) and name != ending
        ]
        if not fitting or is_system_file(member):
            return None
        length, role = max(fitting)
        return member[: len(member) - length], role


def check_endings(source: str, urls: Sequence[str], endings: Mapping[str, str | None]) -> None:
    """Check that the endings of picture and target are stated, and that the first tar has both.

    Args:
        source: name of the source.
        urls: of the tars.
        endings: by role; None where the manifest states none.

    Raises:
        RequestError: one is not stated, or no member has it; names those that there are.
        SourceError: the first tar cannot be read.
    """
    seen = _endings_in(urls[0])
    shown = ", ".join(f"{ending} ({count})" for ending, count in seen.most_common(8)) or "none"
    for role, field in (("picture", "picture_suffix"), ("target", "target_suffix")):
        ending = endings[role]
        if ending is None:
            raise RequestError(
                f"sources.{source}.{field}: not given; it is the ending of the members that are "
                f"{role}s. The first members of {urls[0]} end with {shown}"
            )
        if seen and not any(each.endswith(ending.lower()) for each in seen):
            raise RequestError(
                f"sources.{source}.{field}: no member of {urls[0]} ends with {ending}; the first "
                f"ones end with {shown}"
            )


def name_of(stem: str) -> str:
    """The name by which members of several folders of a tar belong together."""
    return posixpath.basename(stem)


def _endings_in(url: str) -> Counter[str]:
    """What follows the first dot of the first members' names, in lower case."""
    reader = ForwardReader(url)
    try:
        return Counter(
            f".{name.split('.', 1)[1].lower()}"
            for name in islice(_names(reader), _PROBED)
            if "." in name
        )
    finally:
        reader.close()


def _names(reader: ForwardReader) -> Iterator[str]:
    for item in walk_tar(reader):
        if isinstance(item, TarMember) and not is_system_file(item.name):
            yield posixpath.basename(item.name)
