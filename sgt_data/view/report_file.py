"""One HTML file that shows a corpus: totals and distributions of all of it, and some samples.

The samples are those of some pictures, chosen by a seed, in every proxy that has them. Their files
are in the page as they are stored, each once. The page needs no server and loads nothing.
"""

from __future__ import annotations

import base64
import hashlib
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson

from sgt_data import checks
from sgt_data.errors import SgtDataError
from sgt_data.files.output_place import check_output
from sgt_data.files.urls import Location, plain
from sgt_data.files.writing import write_atomic
from sgt_data.progress import OnProgress, Progress, ignore
from sgt_data.result import Failure, Result
from sgt_data.seeds import generator
from sgt_data.view.answers import Answers
from sgt_data.view.collection import Collection, Place
from sgt_data.view.matches import item_of
from sgt_data.view.open_collection import open_collection
from sgt_data.view.page_files import whole_page

_BASE64 = 4 / 3
_REJECTED_MAX = 48
"""Rejected inputs that are listed of each reason."""


@dataclass(slots=True)
class CorpusReport(Result):
    """A report that was written.

    Attributes:
        output: its URL.
        pictures: how many pictures it shows, each in every proxy that has it.
        asked: how many were asked for; the corpus may hold fewer, or they may not fit.
        samples: how many samples that are.
        of: how many samples the corpus has.
        nbytes: its size.
    """

    output: str
    pictures: int = 0
    asked: int = 0
    samples: int = 0
    of: int = 0
    nbytes: int = 0


@dataclass(slots=True)
class _Held:
    """What the page holds of samples: items of the gallery, documents, and files by digest."""

    items: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    samples: dict[str, dict[str, Any]] = field(default_factory=dict)
    pictures: dict[str, int] = field(default_factory=dict)
    files: list[bytes] = field(default_factory=list)
    nbytes: float = 0.0
    _numbers: dict[bytes, int] = field(default_factory=dict)

    def has(self, data: bytes) -> bool:
        return hashlib.sha256(data).digest() in self._numbers

    def hold(self, name: str, data: bytes) -> None:
        digest = hashlib.sha256(data).digest()
        if digest not in self._numbers:
            self._numbers[digest] = len(self.files)
            self.files.append(data)
            self.nbytes += len(data) * _BASE64
        self.pictures[name] = self._numbers[digest]


def write_report(
    corpus: Location,
    output: Location = "report.html",
    *,
    samples: int = 12,
    max_megabytes: int = 32,
    seed: int = 0,
    on_progress: OnProgress = ignore,
) -> CorpusReport:
    """Write a corpus as one HTML file, which a browser opens without a server.

    Args:
        corpus: fsspec URL of a corpus, a subset file or an export.
        output: the file to write, an fsspec URL.
        samples: pictures whose samples are in the page, chosen by the seed among the keys of all
            proxies.
        max_megabytes: samples are left out that would make the page larger; the rest of the page
            takes well under one.
        seed: by which pictures, and samples for distributions, are chosen.
        on_progress: called after every picture, with pictures as units.

    Raises:
        RequestError: nothing to show is at the URL, or the output cannot be there.
        CorpusError: the header of the corpus is damaged.
        StorageError: the file cannot be written.
    """
    checks.whole_number("samples", samples, 1, 10_000)
    checks.whole_number("max_megabytes", max_megabytes, 1, 1000)
    collection = open_collection(corpus)
    place = check_output(output, [collection.url])
    answers = Answers(collection, seed)
    report = CorpusReport(place, asked=samples)
    held = _Held()
    chosen = _chosen(collection, samples, seed)
    for number, key_places in enumerate(chosen):
        on_progress(Progress(number, len(chosen), note="samples"))
        if not _take(answers, key_places, held, max_megabytes * 1_000_000, report):
            report.notes.append(
                f"{report.pictures:,} of {len(chosen):,} pictures fit into {max_megabytes} MB; "
                "more with a larger max_megabytes"
            )
            break
    on_progress(Progress(len(chosen), len(chosen), note="distributions"))
    report.of = sum(collection.table(proxy).total for proxy in collection.proxies)
    page = whole_page(orjson.dumps(_document(answers, held, report)))
    write_atomic(plain(place), page)
    report.nbytes, report.complete = len(page), True
    return report


def _chosen(collection: Collection, count: int, seed: int) -> list[list[Place]]:
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
    for place in order.astype(np.int64).tolist():
        yield table.shards[int(columns.shard[place])], columns.keys[place].as_py()


def _take(
    answers: Answers, places: Sequence[Place], held: _Held, nbytes_max: float, report: CorpusReport
) -> bool:
    """Hold the samples of one key; False where they would make the page too large."""
    taken: list[tuple[Place, dict[str, Any], dict[str, bytes]]] = []
    for place in places:
        try:
            document = answers.sample(place)
            members = answers.collection.members(place, ("input", "target"))
            taken.append((place, document, dict(members)))
        except SgtDataError as why:
            report.failures.append(Failure(f"{place.proxy}/{place.shard}/{place.key}", str(why)))
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
    report.pictures += bool(taken)
    report.samples += len(taken)
    return True


def _item(collection: Collection, place: Place) -> dict[str, Any]:
    table = collection.table(place.proxy)
    number = table.number(place.shard)
    columns = None if number is None else table.of_shard(number)
    if columns is None:
        return {"key": place.key, "shard": place.shard}
    return item_of(table, columns, columns.keys.index(place.key).as_py())


def _document(answers: Answers, held: _Held, report: CorpusReport) -> dict[str, Any]:
    """All data of the page. Holders are cut to the samples that it holds."""
    collection = answers.collection
    for document in held.samples.values():
        document["holders"] = [
            holder
            for holder in document["holders"]
            if not holder["holds"]
            or f"{holder['proxy']}/{document['shard']}/{document['key']}" in held.samples
        ]
    overview = answers.overview()
    overview["url"] = posixpath.basename(overview["url"].rstrip("/"))  # a page is passed on
    overview["notes"].append(
        f"This page holds {report.samples:,} of {report.of:,} samples: those of "
        f"{report.pictures:,} pictures that a seed chose. Totals and distributions are those of "
        "the whole."
    )
    collection.ledgers().work.finish()
    return {
        "overview": overview,
        "items": held.items,
        "samples": held.samples,
        "pictures": held.pictures,
        "files": [base64.b64encode(data).decode() for data in held.files],
        "distributions": {proxy: answers.all_distributions(proxy) for proxy in collection.proxies},
        "reasons": answers.reasons(0),
        "rejected": _rejected(collection, held),
    }


def _rejected(collection: Collection, held: _Held) -> list[dict[str, Any]]:
    """Inputs by reason; their pictures are shown where the page holds them anyway."""
    return [
        {
            "kind": group.kind,
            "reason": group.reason,
            "rows": sum(group.rows.values()),
            "items": [
                {**row, "picture": _held_picture(collection, row, held)}
                for row in group.examples[:_REJECTED_MAX]
            ],
        }
        for group in collection.ledgers().groups()
    ]


def _held_picture(
    collection: Collection, row: Mapping[str, str], held: _Held
) -> dict[str, str] | None:
    for proxy in collection.proxies:
        if f"{proxy}/{row['shard']}/{row['key']}/input" in held.pictures:
            return {"proxy": proxy, "shard": row["shard"], "key": row["key"]}
    return None
