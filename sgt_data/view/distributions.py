"""Distributions of a proxy: exact where the index says it, else of a part that the seed chooses."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sgt_data.bounded_json import loads_bounded
from sgt_data.errors import SgtDataError
from sgt_data.seeds import generator
from sgt_data.view.collection import Collection, Place
from sgt_data.view.gradual_work import GradualWork
from sgt_data.view.histograms import histogram
from sgt_data.view.measured_facts import FACT_CHARTS, values_of
from sgt_data.view.shard_columns import ShardColumns

SAMPLED_MAX, SHARDS_MAX = 256, 16
"""Samples of a proxy whose facts are read, and shards that they are taken from."""
_BLOCK = 16


@dataclass(frozen=True, slots=True)
class Chart:
    """What a chart is of.

    Attributes:
        name: for programs.
        title: for a person.
        unit: of the values.
        whole, logarithmic: see `histogram`.
    """

    name: str
    title: str
    unit: str
    whole: bool = False
    logarithmic: bool = False


_INDEX_CHARTS = (
    Chart("segments", "Segments per sample", "segments", whole=True),
    Chart("aspect", "Width over height", "ratio"),
    Chart("pixels", "Size of the target", "megapixels"),
)


class Distributions:
    """The distributions of one proxy, as far as they are read."""

    def __init__(self, collection: Collection, proxy: str, seed: int = 0) -> None:
        self._collection, self._proxy, self._seed = collection, proxy, seed
        self._values: dict[str, list[float]] = {}
        self._givers: Counter[str] = Counter()
        self._sampled, self._chosen, self._shards, self._unread = 0, 0, 0, 0
        self._lock = threading.Lock()
        self._work = GradualWork(self._steps())

    def charts(self, seconds: float) -> dict[str, Any]:
        """All charts as JSON; `complete` where nothing is left to read.

        Each states how many `samples` it counts, of the `of` that the proxy has.

        Args:
            seconds: for about so long, what has to be read is read on.
        """
        reading, table = self._collection.reading(self._proxy), self._collection.table(self._proxy)
        reading.advance(seconds)
        self._work.advance(seconds)
        seen = table.seen()
        charts = [{**_described(each), **_of_index(each, seen.columns)} for each in _INDEX_CHARTS]
        with self._lock:
            sampled = {name: np.array(values, np.float64) for name, values in self._values.items()}
            givers = dict(self._givers)
        charts += [
            {
                **_described(Chart(*chart)), "samples": givers[chart[0]],
                **histogram(sampled[chart[0]], whole=chart[3], logarithmic=chart[4]),
            }
            for chart in FACT_CHARTS
            if chart[0] in sampled
        ]  # fmt: skip
        return {
            "proxy": self._proxy,
            "charts": [chart for chart in charts if chart["n"]],
            "of": table.total,
            "sampled": self._sampled,
            "chosen": self._chosen,
            "shards": self._shards,
            "all_shards": len(table.shards),
            "unread": self._unread,
            "seed": self._seed,
            "complete": seen.complete and self._work.finished,
        }

    def finish(self) -> dict[str, Any]:
        """All charts, when all is read that they need."""
        self._collection.reading(self._proxy).finish()
        self._work.finish()
        return self.charts(0)

    def _steps(self) -> Iterator[int]:
        places = self._places()
        self._chosen = len(places)
        with ThreadPoolExecutor(8) as threads:
            for begin in range(0, len(places), _BLOCK):
                for values in threads.map(self._measure, places[begin : begin + _BLOCK]):
                    self._take(values)
                yield begin

    def _places(self) -> list[Place]:
        """Some samples of some shards, both chosen by the seed; in corpus order."""
        table = self._collection.table(self._proxy)
        rng = generator(self._seed, "view", "distributions", self._proxy)
        filled = [number for number, count in enumerate(table.counts) if count]
        if table.total == 0 and table.shards:  # an export, whose list is not counted before
            filled = [0]
        chosen = sorted(rng.permutation(len(filled))[:SHARDS_MAX].tolist())
        self._shards = len(chosen)
        places = []
        each = -(-SAMPLED_MAX // max(1, len(chosen)))
        for number in (filled[index] for index in chosen):
            self._collection.load(self._proxy, number)
            columns = table.of_shard(number)
            if columns is not None:
                rows = sorted(rng.permutation(len(columns))[:each].tolist())
                keys = [columns.keys[row].as_py() for row in rows]
                places += [Place(self._proxy, table.shards[number], key) for key in keys]
        return places

    def _measure(self, place: Place) -> dict[str, list[float]] | None:
        try:
            members = self._collection.members(place, ("target", "instruction", "facts"))
            facts = loads_bounded(members.get("facts", b"{}"))
            if not isinstance(facts, dict):
                return None
            instruction = members.get("instruction", b"").decode(errors="replace")
            return values_of(facts, instruction, members.get("target", b""))
        except (SgtDataError, ValueError):
            return None

    def _take(self, values: Mapping[str, list[float]] | None) -> None:
        if values is None:
            self._unread += 1
            return
        with self._lock:
            self._sampled += 1
            for name, more in values.items():
                self._values.setdefault(name, []).extend(more)
                self._givers[name] += 1


def _described(chart: Chart) -> dict[str, Any]:
    return {"name": chart.name, "title": chart.title, "unit": chart.unit, "whole": chart.whole,
            "logarithmic": chart.logarithmic}  # fmt: skip


def _of_index(chart: Chart, columns: ShardColumns) -> dict[str, Any]:
    counted = histogram(_values(chart.name, columns), whole=chart.whole)
    return {**counted, "samples": counted["n"]}


def _values(name: str, columns: ShardColumns) -> NDArray[np.float64]:
    """What an index says, for the chart of this name."""
    if name == "segments":
        segments = columns.segments if columns.segments.any() else columns.segments[:0]
        return segments.astype(np.float64)
    known = (columns.width > 0) & (columns.height > 0)
    values = columns.width[known].astype(np.float64)
    if name == "aspect":
        values /= columns.height[known]
    else:
        values *= columns.height[known]
        values /= 1e6
    return values
