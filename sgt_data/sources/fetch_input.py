"""Fetch the files of inputs of which the place is known: of a shard together, or one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sgt_data.errors import FileMissing, InputError
from sgt_data.records import FilePart, RawInput
from sgt_data.sources.held_files import Held, hold, read_part


def fetched(raw: RawInput) -> RawInput:
    """The input with the bytes of all its files; with a problem where one of them is damaged.

    Raises:
        SourceError: a file cannot be read at present, or is shorter than it was when it was listed.
    """
    if not raw.parts:
        return raw
    try:
        files = {role: read_part(part) for role, part in raw.parts.items()}
    except InputError as why:
        return replace(raw, problem=str(why), parts={})
    picture = files.pop("picture", raw.picture)
    return replace(raw, picture=picture, extras={**raw.extras, **files}, parts={})


def with_held_files(inputs: Sequence[RawInput], missing: str | None = None) -> tuple[RawInput, ...]:
    """The inputs of a shard with the bytes of their files, as far as a shard may hold them.

    The other files are fetched where they are drawn. An input with a damaged file gets a problem.

    Args:
        inputs: with the places of their files.
        missing: the problem of a picture of unknown size that its server has not, with `{name}` for
            its name; None where that is no damage of an input.

    Raises:
        SourceError: a file cannot be read at present, or is not as it was listed.
    """
    results = iter(hold([part for raw in inputs for part in raw.parts.values()]))
    return tuple(_with_files(raw, [next(results) for _ in raw.parts], missing) for raw in inputs)


def _with_files(raw: RawInput, held: Sequence[Held], missing: str | None) -> RawInput:
    picture, extras, parts = raw.picture, dict(raw.extras), {}
    for (role, part), result in zip(raw.parts.items(), held, strict=True):
        if isinstance(result, FilePart):
            parts[role] = result
        elif isinstance(result, bytes):
            if role == "picture":
                picture = result
            else:
                extras[role] = result
        elif missing and isinstance(result, FileMissing) and not part.length:
            return RawInput(raw.key, raw.member, problem=missing.format(name=raw.member))
        elif isinstance(result, InputError):
            return RawInput(raw.key, raw.member, problem=str(result))
        else:
            raise result
    return replace(raw, picture=picture, extras=extras, parts=parts)
