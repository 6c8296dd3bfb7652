"""List and read sources, and check what own code of a user gives."""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping
from typing import Any

from sgt_data.foreign_errors import in_words
from sgt_data.names import checked_shard
from sgt_data.plugins.member import is_own
from sgt_data.plugins.own_code import mistake, own_code
from sgt_data.records import Inventory, RawInput, RawShard, Slice
from sgt_data.sources.base import Source
from sgt_data.value_text import cut

_END = object()


def inventory_of(source: Source, shard_samples: int) -> Inventory:
    """What a source holds; see `Source.inventory`.

    Raises:
        SourceError, RequestError: the source cannot be listed.
        OwnCodeError: own code made a mistake, or returned something else.
    """
    with own_code(source, "inventory"):
        inventory: Any = source.inventory(shard_samples)
    if is_own(type(source)) and (problem := _inventory_problem(source, inventory)):
        raise mistake(source, "inventory", f"shard_samples {shard_samples}", problem)
    checked: Inventory = inventory
    return checked


def read_shards(
    source: Source, piece: Slice, shard_samples: int, skip: Collection[str]
) -> Generator[RawShard, None, None]:
    """Read a slice of a source, shard by shard; see `Source.read`.

    Raises:
        SourceError: the slice cannot be read at present.
        OwnCodeError: own code made a mistake, or gave something else than its inventory promised.
    """
    if not is_own(type(source)):
        yield from source.read(piece, shard_samples, skip)
        return
    with own_code(source, "read", piece.name):
        shards: Any = source.read(piece, shard_samples, skip)
    if not hasattr(shards, "__iter__"):
        what = f"it returned {cut(shards, 60)}; right is to `yield` a RawShard for each shard"
        raise mistake(source, "read", piece.name, what)
    given: list[str] = []
    iterator = iter(shards)
    while True:
        with own_code(source, "read", piece.name):
            shard: Any = next(iterator, _END)
        if shard is _END:
            break
        if problem := _shard_problem(shard, source, piece, given):
            raise mistake(source, "read", piece.name, problem)
        given.append(shard.name)
        yield shard
        if shard.last:
            return
    if problem_at_end := _end_problem(piece, given, skip):
        raise mistake(source, "read", piece.name, problem_at_end)


def _inventory_problem(source: Source, inventory: Any) -> str | None:
    if not isinstance(inventory, Inventory):
        return f"it returned {cut(inventory, 60)}; right is an Inventory of sgt_data.records"
    if not isinstance(inventory.identity, Mapping) or not all(
        isinstance(text, str) for pair in inventory.identity.items() for text in pair
    ):
        return (
            f"identity is {cut(inventory.identity, 60)}; right is a dict of texts: by the name of "
            'each file its size or digest, such as {"a.jpg": "1234 bytes"}'
        )
    if not isinstance(inventory.slices, tuple):
        return f"slices is {cut(inventory.slices, 60)}; right is a tuple of Slice"
    if type(inventory.unreadable) is not int or inventory.unreadable < 0:
        return f"unreadable is {cut(inventory.unreadable, 40)}; right is a number of pictures"
    names: set[str] = set()
    for piece in inventory.slices:
        if problem := _slice_problem(piece, source, names):
            return problem
        names.add(piece.name)
    return None


def _slice_problem(piece: Any, source: Source, names: set[str]) -> str | None:
    if not isinstance(piece, Slice):
        return f"slices holds {cut(piece, 60)}; right is a Slice of sgt_data.records"
    if piece.source != source.name:
        return f"a slice has source {cut(piece.source, 40)}; right is self.name, {source.name!r}"
    if piece.name in names:
        return f"two slices have the name {cut(piece.name, 40)}; each needs its own"
    if not isinstance(piece.payload, bytes):
        return f"payload of slice {piece.name} is {cut(piece.payload, 40)}; right are bytes"
    if piece.shards is None:
        return None
    if not isinstance(piece.shards, tuple):
        return f"shards of slice {piece.name} is {cut(piece.shards, 40)}; right is a tuple of names"
    for shard in piece.shards:
        try:
            checked_shard(shard)
        except ValueError as why:
            return f"slice {piece.name}: {in_words(why)}"
        if not shard.startswith(f"{source.name}-"):
            return (
                f"slice {piece.name} has the shard {shard!r}; a shard's name begins with that of "
                f"its source, so that two sources cannot clash: {source.name}-{shard}"
            )
    return None


def _shard_problem(shard: Any, source: Source, piece: Slice, given: list[str]) -> str | None:
    """What is wrong with a shard that `read` gave."""
    if not isinstance(shard, RawShard):
        return f"it gave {cut(shard, 60)}; right is a RawShard of sgt_data.records for each shard"
    if (shard.source, shard.slice) != (source.name, piece.name):
        return (
            f"shard {shard.name} says source {shard.source!r} and slice {shard.slice!r}; right are "
            f"{source.name!r} and {piece.name!r}"
        )
    allowed = piece.shards or (piece.shard_name(len(given)),)
    if shard.name not in allowed or shard.name in given:
        return (
            f"it gave the shard {shard.name!r}; the slice has {', '.join(allowed)}, each once "
            "(piece.shard_name(number), where the inventory names no shards)"
        )
    if not isinstance(shard.inputs, tuple):
        return f"inputs of shard {shard.name} is {type(shard.inputs).__name__}; right is a tuple"
    for raw in shard.inputs:
        if not isinstance(raw, RawInput):
            return f"inputs of shard {shard.name} holds {cut(raw, 60)}; right is a RawInput"
        if not isinstance(raw.picture, bytes):
            return f"picture of {cut(raw.key, 60)} is {type(raw.picture).__name__}; right are bytes"
        if not isinstance(raw.key, str) or not raw.key.startswith(f"{source.name}_"):
            return (
                f"the key {cut(raw.key, 60)} does not begin with {source.name}_, the name of the "
                "source; sgt_data.sources.base.unique_keys makes keys of paths"
            )
        if not isinstance(raw.member, str) or not raw.member:
            return f"member of {raw.key} is {cut(raw.member, 40)}; right is the name of the input"
    return None


def _end_problem(piece: Slice, given: list[str], skip: Collection[str]) -> str | None:
    """What is wrong where a slice ended without a last shard."""
    if piece.shards is None:
        if given:
            return f"the last shard of the slice, {given[-1]}, has last=False; right is last=True"
        return None
    lacking = [name for name in piece.shards if name not in given and name not in skip]
    if lacking:
        return f"it gave no shard {lacking[0]}, which the inventory promised"
    if given and given[-1] == piece.shards[-1]:
        return f"the last shard of the slice, {given[-1]}, has last=False; right is last=True"
    return None
