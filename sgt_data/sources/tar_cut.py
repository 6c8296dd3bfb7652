"""Cut a tar into shards while it is read from front to back.

Stems (names without extension) are numbered in the order in which they first appear: stem i belongs
to shard `i // shard_samples`. So the cut depends on member names alone, a shard that is already
built is skipped without reading its bytes, and files of one stem may lie anywhere in the tar.

Of a tar on a local disk the headers alone are read: the places of its members are noted, and their
bytes are fetched where they are rendered. A remote tar is read once.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sgt_data.errors import SourceError
from sgt_data.files.forward_reader import ForwardReader
from sgt_data.files.tar_walk import TarDamage, TarJoint, TarMember, walk_tar
from sgt_data.files.urls import is_local
from sgt_data.records import (
    FilePart,
    RawInput,
    RawShard,
    shard_name,
)
from sgt_data.sources.broken_runs import BrokenRuns, tar_bytes
from sgt_data.sources.keys import key_of, marked_key
from sgt_data.sources.listed_tar import ListedTar

HELD_BYTES_MAX = 1 << 30
"""Most bytes of unfinished shards in memory; beyond them the places of members are noted, and their
bytes fetched later."""

Role = str
"""What a member is to its input: `picture`, or the name of an extra."""
RoleOf = Callable[[str], tuple[str, Role] | None]
"""Name of a member -> its stem and role; None where it does not belong to the source."""


@dataclass(slots=True)
class _Stem:
    number: int
    key: str
    files: dict[Role, bytes | FilePart] = field(default_factory=dict)
    names: dict[Role, str] = field(default_factory=dict)
    repeats: dict[Role, int] = field(default_factory=dict)
    problem: str | None = None
    suspicion: str | None = None  # damage that may have destroyed the files that it lacks
    joint: str | None = None  # zeros that are its lost file where it lacks one, else two tars' seam
    nbytes: int = 0  # of its members, headers included


@dataclass(frozen=True, slots=True)
class TarCut:
    """How the tar of a slice is cut.

    Attributes:
        source: name of the source, prefix of keys.
        slice: name of the slice, part of shard names.
        role_of: which members belong to the source.
        roles: the roles that a complete input has.
        shard_samples: inputs of a shard.
        licence: of the pictures, written into every sample.
        suffixes: what ends a stem and is no part of its key.
        key_name: what of a stem tells its input from others, where that is less than all of it.
        shared_name: what stems of several folders have in common whose members are of one input,
            where that is something else.
        truncated_allowed: whether tars may lack a part of unknown size.
    """

    source: str
    slice: str
    role_of: RoleOf
    roles: tuple[Role, ...]
    shard_samples: int
    licence: str | None
    suffixes: tuple[str, ...] = ()
    key_name: Callable[[str], str] | None = None
    truncated_allowed: bool = False
    shared_name: Callable[[str], str] | None = None

    def named(self, stem: str) -> str:
        """What of a stem tells its input from others."""
        return stem if self.key_name is None else self.key_name(stem)

    def shared(self, stem: str) -> str:
        """What a stem has in common with those of the same input in other folders."""
        return self.named(stem) if self.shared_name is None else self.shared_name(stem)

    def key(self, stem: str, taken: Mapping[str, str]) -> str:
        """Key of a stem; marked with a digest where its plain key is that of another input.

        Args:
            stem: the stem.
            taken: the inputs (see `named`) of earlier stems, by their keys.
        """
        name = self.named(stem)
        ending = next((end for end in self.suffixes if name.lower().endswith(end)), "")
        plain = name[: len(name) - len(ending)]
        key = key_of(self.source, plain, name)
        return key if taken.get(key, name) == name else marked_key(self.source, plain, name)

    def shard_name(self, number: int) -> str:
        """Name of shard `number` of the tar."""
        return shard_name(self.source, self.slice, number)

    def shards(self, tar: ListedTar, skip: Collection[str]) -> Iterator[RawShard]:
        """The shards of a tar, without those whose names are in `skip`.

        Raises:
            BrokenTar: it ends early, is none, or more of it is broken than one input may take; what
                came before is sound.
            SourceError: it cannot be read at present, or is not as it was listed.
        """
        reader = ForwardReader(tar.url)
        try:
            yield from _Cutting(self, tar, reader, skip).run()
        finally:
            reader.close()


class _Cutting:
    def __init__(
        self, cut: TarCut, tar: ListedTar, reader: ForwardReader, skip: Collection[str]
    ) -> None:
        self.cut = cut
        self.tar = tar
        self.url = tar.url
        self.reader = reader
        self.skip = skip
        self.stems: dict[str, _Stem] = {}
        self.keys: dict[str, str] = {}
        self.namesakes: dict[str, str] = {}  # the first path of each name
        self.joined: dict[str, str] = {}  # the stem that each path belongs to
        self.open_shards: dict[int, list[str]] = {}
        self.outstanding: dict[int, int] = {}
        self.problems: dict[int, list[RawInput]] = {}
        self.broken = BrokenRuns(tar, cut.source, truncated_allowed=cut.truncated_allowed)
        self.held = 0
        self.local = is_local(tar.url)

    @property
    def current(self) -> int:
        """Number of the shard of the stem that appeared last."""
        return max(0, len(self.stems) - 1) // self.cut.shard_samples

    def run(self) -> Iterator[RawShard]:
        for item in walk_tar(self.reader):
            if isinstance(item, TarDamage):
                self._note_damage(item)
                continue
            if isinstance(item, TarJoint):
                self._note_joint(item)
                continue
            # only now: damage that follows a member may be of that member. The current shard waits,
            # as it may be the last of the slice, which it must state
            whole = [n for n, left in self.outstanding.items() if not left and n < self.current]
            for number in whole:
                yield from self._close(number, last=False)
            self._take(item)
        self._check_size()
        for number in range(self.current + 1):
            if number in self.open_shards or number in self.problems or not self.stems:
                yield from self._close(number, last=number == self.current)

    def _check_size(self) -> None:
        nbytes, listed = self.reader.position, self.tar.nbytes
        if listed is not None and nbytes != listed:
            raise SourceError(f"{self.url} has {nbytes} bytes, {listed} when it was listed")

    def _take(self, member: TarMember) -> None:
        stem_and_role = self.cut.role_of(member.name)
        if stem_and_role is None:
            return
        path, role = stem_and_role
        name = self._owner(path, role)
        stem = self._stem(name)
        if role in stem.files and self._separate(name, path, role):
            stem = self._stem(path)
        if role in stem.files:
            self._note_repeat(name, stem, role, member.name)
            return
        self.outstanding[stem.number] -= 1
        stem.names[role] = member.name
        stem.nbytes += tar_bytes(member.size)
        self.broken.measure(stem.nbytes, tar_bytes(member.size), len(self.stems))
        stem.files[role] = FilePart(self.url, member.start, member.size)
        if self.cut.shard_name(stem.number) in self.skip or self.local:
            return
        if self.held + member.size <= HELD_BYTES_MAX:
            body = self.reader.read(member.size)
            if len(body) == member.size:
                stem.files[role] = body
                self.held += member.size

    def _owner(self, path: str, role: Role) -> str:
        """The stem that a member belongs to: that of its own path, else one of the same name that
        lacks it, as `images/sa_1.jpg` lacks `annotations/sa_1.json`."""
        if path in self.stems:
            return path
        if path not in self.joined:
            namesake = self.namesakes.setdefault(self.cut.shared(path), path)
            lacks = namesake in self.stems and role not in self.stems[namesake].files
            self.joined[path] = namesake if lacks else path
        return self.joined[path]

    def _separate(self, name: str, path: str, role: Role) -> bool:
        """Give files of another path, which were joined to a stem by name, a stem of their own.

        Args:
            name: the stem.
            path: of a member that shows that they are of two inputs.
            role: of that member.

        Returns:
            Whether they were separated; not where the stem's shard is closed.
        """
        stem = self.stems[name]
        paths = {held: self._path(stem.names[held]) for held in stem.files}
        other = paths[role] if path == name else path
        moved = [held for held, of_path in paths.items() if of_path == other]
        if other == name or not moved or stem.number not in self.open_shards:
            return False
        self.joined[other] = other
        own = self._stem(other)
        for held in moved:
            own.files[held] = stem.files.pop(held)
            own.names[held] = stem.names.pop(held)
            self.outstanding[stem.number] += 1
            self.outstanding[own.number] -= 1
        return True

    def _path(self, member: str) -> str:
        """The path of a member's stem."""
        path_and_role = self.cut.role_of(member)
        return path_and_role[0] if path_and_role else member

    def _stem(self, name: str) -> _Stem:
        if name not in self.stems:
            number = len(self.stems) // self.cut.shard_samples
            key = self.cut.key(name, self.keys)
            self.keys.setdefault(key, self.cut.named(name))
            self.stems[name] = _Stem(number, key)
            self.open_shards.setdefault(number, []).append(name)
            self.outstanding[number] = self.outstanding.get(number, 0) + len(self.cut.roles)
        return self.stems[name]

    def _note_repeat(self, name: str, stem: _Stem, role: Role, member: str) -> None:
        """A second picture (or extra) of a stem counts as an input that cannot be used."""
        folder = posixpath.dirname(member)
        others = [used for other, used in stem.names.items() if other != role]
        if posixpath.dirname(stem.names[role]) != folder and any(
            posixpath.dirname(used) == folder for used in others
        ):  # the first ones are not of one picture
            stem.problem = (
                f"the tar holds two files of one name, {stem.names[role]} and {member}, and the "
                f"second lies beside {others[0]}: it is not clear which belong together"
            )
        before = max(stem.repeats.values(), default=0)
        stem.repeats[role] = stem.repeats.get(role, 0) + 1
        if stem.repeats[role] > before:
            first = stem.names[role]
            problem = (
                f"the tar holds {member} twice"
                if first == member
                else f"the tar holds two files of one name, {first} and {member}"
            )
            self._add_problem(name, member, f"{problem}; the first one is used")

    def _note_damage(self, damage: TarDamage) -> None:
        self.broken.note(damage, self.current)
        stem_and_role = self.cut.role_of(damage.member) if damage.member else None
        reason = f"byte {damage.position}: {damage.reason}"
        if stem_and_role is not None:
            path, role = stem_and_role
            stem = self._stem(self._owner(path, role))
            stem.problem = f"{damage.member}: {reason}"
            stem.names.setdefault(role, damage.member or "")
            return
        last = next(reversed(self.stems), None)
        if damage.member is None and last is not None and self._missing(self.stems[last]):
            self.stems[last].suspicion = reason
        else:
            self._add_problem("", damage.member or self._archive, reason)

    def _note_joint(self, joint: TarJoint) -> None:
        last = next(reversed(self.stems), None)
        if last is not None and self._missing(self.stems[last]):
            self.stems[
                last
            ].joint = f"byte {joint.position}: broken archive: there are zeros instead of a member"

    def _add_problem(self, name: str, member: str, problem: str) -> None:
        key = self.stems[name].key if name else ""
        self.problems.setdefault(self.current, []).append(RawInput(key, member, problem=problem))

    @property
    def _archive(self) -> str:
        return posixpath.basename(self.url.split("?", 1)[0])

    def _missing(self, stem: _Stem) -> list[Role]:
        return [role for role in self.cut.roles if role not in stem.files]

    def _close(self, number: int, *, last: bool) -> Iterator[RawShard]:
        lost = self.broken.lost(number, self.reader.position)
        names = self.open_shards.pop(number, [])
        problems = self.problems.pop(number, [])
        self.outstanding.pop(number, None)
        shard = self.cut.shard_name(number)
        if shard in self.skip:
            for name in names:
                self.stems[name].files = dict.fromkeys(self.stems[name].files, b"")
            return
        for stem in map(self.stems.__getitem__, names):
            if stem.suspicion and not self._missing(stem):
                problems.append(RawInput("", self._archive, problem=stem.suspicion))
        inputs = [*_without_key_clashes(map(self._input, names)), *problems]
        inputs.sort(key=lambda raw: (raw.key, raw.member))
        yield RawShard(shard, self.cut.slice, self.cut.source, tuple(inputs), last, lost)

    def _input(self, name: str) -> RawInput:
        stem = self.stems[name]
        missing = self._missing(stem)
        problem = stem.problem
        if problem is None and missing:
            problem = (
                stem.suspicion
                or stem.joint
                or (f"the tar holds {', '.join(stem.names.values())} but no {missing[0]} beside it")
            )
        member = stem.names.get("picture") or next(iter(stem.names.values()))
        files = {} if problem else {role: stem.files[role] for role in self.cut.roles}
        bodies = {role: body for role, body in files.items() if isinstance(body, bytes)}
        parts = {role: part for role, part in files.items() if isinstance(part, FilePart)}
        self.held -= sum(len(body) for body in stem.files.values() if isinstance(body, bytes))
        stem.files = dict.fromkeys(stem.files, b"")
        return RawInput(
            stem.key,
            member,
            bodies.pop("picture", b""),
            bodies,
            self.cut.licence,
            problem,
            parts,
        )


def _without_key_clashes(inputs: Iterable[RawInput]) -> Iterator[RawInput]:
    """The inputs; where two sound ones have the same key, the second gets a problem."""
    first: dict[str, str] = {}
    for raw in inputs:
        if raw.problem is None and first.setdefault(raw.key, raw.member) != raw.member:
            problem = (
                f"{first[raw.key]} and {raw.member} are two pictures of one name, and so of one "
                "key; the first is used"
            )
            yield RawInput(raw.key, raw.member, problem=problem)
        else:
            yield raw
