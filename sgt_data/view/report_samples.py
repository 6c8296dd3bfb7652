"""The samples that a report holds: which they are, and their files, each once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from sgt_data.errors import SgtDataError
from sgt_data.result import Failure
from sgt_data.seeds import generator
from sgt_data.view.answers import Answers
from sgt_data.view.collection import Collection, Place
from sgt_data.view.matches import item_of

_BASE64 = 4 / 3


@dataclass(slots=True)
class HeldSamples:
    """What a report holds of samples.

    Attributes:
        items: of the gallery, by proxy.
        samples: documents of samples, by `proxy/shard/key`.
        pictures: number of the file of each picture, by `proxy/shard/key/member`.
        files: the files, each once.
        keys: how many pictures these are samples of.
        nbytes: what they take in the page, about.
        failures: samples that cannot be read.
    """

    items: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    samples: dict[str, dict[str, Any]] = field(default_factory=dict)
    pictures: dict[str, int] = field(default_factory=dict)
    files: list[bytes] = field(default_factory=list)
    keys: int = 0
    nbytes: float = 0.0
    failures: list[Failure] = field(default_factory=list)
    _numbers: dict[bytes, int] = field(default_factory=dict)

    def has(self, data: bytes) -> bool:
        """Whether a file is held."""
        return hashlib.sha256(data).digest() in self._numbers

    def hold(self, name: str, data: bytes) -> None:
        """Hold the file of a picture."""
        digest = hashlib.sha256(data).digest()
        if digest not in self._numbers:
            self._numbers[digest] = len(self.files)
            self.files.append(data)
            self.nbytes += len(data) * _BASE64
        self.pictures[name] = self._numbers[digest]


def chosen_samples(collection: Collection, count: int, seed: int) -> list[list[Place]]:
    """Places of the samples of some keys, of which every proxy has its share.

    Proxies take turns: each adds a key that the seed chooses, until there are enough.
    """
    keys: dict[tuple[str, str], None] = {}
    orders: list[Iterator[tuple[str, str]]] = []
    for proxy in collection.proxies:
        collection.reading(proxy).finish()
        orders.append(_shuffled(collection, proxy, seed))
    while orders and len(keys) < count:
        for order in list(orders):
            name = next((name for name in order if name not in keys), None)
            if name is None:
                orders.remove(order)
            elif len(keys) < count:
                keys[name] = None
    return [
        [
            Place(holder.proxy, shard, key)
            for holder in collection.holders(shard, key)
            if holder.holds
        ]
        for shard, key in keys
    ]


def _shuffled(collection: Collection, proxy: str, seed: int) -> Iterator[tuple[str, str]]:
    """Shards and keys of a proxy's samples, in an order that the seed gives."""
    table = collection.table(proxy)
    columns = table.seen().columns
    order = generator(seed, "view", "report", proxy).permutation(len(columns))
    for place in order:  # not as a list, which takes forty bytes of each sample
        yield table.shards[int(columns.shard[place])], columns.keys[int(place)].as_py()


def take_samples(
    answers: Answers, places: Sequence[Place], held: HeldSamples, nbytes_max: float
) -> bool:
    """Hold the samples of one key; False where they would make the page too large."""
    taken: list[tuple[Place, dict[str, Any], dict[str, bytes]]] = []
    for place in places:
        try:
            document = answers.sample(place)
            members = answers.collection.members(place, ("input", "target"))
            taken.append((place, document, dict(members)))
        except SgtDataError as why:
            held.failures.append(Failure(f"{place.proxy}/{place.shard}/{place.key}", str(why)))
    new = {data for _, _, members in taken for data in members.values() if not held.has(data)}
    documents = [len(orjson.dumps(document)) for _, document, _ in taken]
    more = sum(map(len, new)) * _BASE64 + sum(documents)
    if held.nbytes + more > nbytes_max:
        return False
    for place, document, members in taken:
        name = f"{place.proxy}/{place.shard}/{place.key}"
        held.samples[name] = document
        for member, data in members.items():
            held.hold(f"{name}/{member}", data)
        item = _item(answers.collection, place)
        held.items.setdefault(place.proxy, []).append(
            {**item, "instruction": document["instruction"]}
        )
    held.nbytes += sum(documents)
    held.keys += bool(taken)
    return True


def _item(collection: Collection, place: Place) -> dict[str, Any]:
    table = collection.table(place.proxy)
    number = table.number(place.shard)
    columns = None if number is None else table.of_shard(number)
    if columns is None:
        return {"key": place.key, "shard": place.shard}
    return item_of(table, columns, columns.keys.index(place.key).as_py())
