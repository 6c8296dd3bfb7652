"""An export (`sgt-data export --format bagel | omnigen2 | folders`) as a collection of a page.

An export holds pictures, targets and lists with instructions; it has neither segments nor licences
nor a quarantine. The paths in its lists are not followed: from the name of a picture the layout
says where both files lie, below the export's own folder.
"""

from __future__ import annotations

import threading
from collections.abc import Collection as Names
from collections.abc import Mapping, Sequence
from typing import Any

from sgt_data.bounded_json import loads_bounded
from sgt_data.errors import CorpusError, RequestError
from sgt_data.exports.listed_samples import LISTS
from sgt_data.files.output_place import EXPORT_MARKER
from sgt_data.files.reading import exists, read_bytes
from sgt_data.files.urls import below, join
from sgt_data.foreign_errors import in_words
from sgt_data.names import checked_folder
from sgt_data.value_text import cut
from sgt_data.view.collection import Holder, Kind, Place
from sgt_data.view.export_list import SHARD, ExportList
from sgt_data.view.gradual_work import GradualWork
from sgt_data.view.ledgers import Ledgers
from sgt_data.view.sample_table import SampleTable


def is_export(root: str) -> bool:
    """Whether a folder holds an export."""
    return exists(join(root, EXPORT_MARKER))


class BrowsedExport:
    """Reads the lists of an export; every line is a sample."""

    kind: Kind = "export"

    def __init__(self, root: str) -> None:
        """
        Args:
            root: absolute path of the export.

        Raises:
            RequestError: its format has no lists that can be shown, or it has none yet.
            CorpusError: `export.json` is none.
        """
        self.url = root
        self._name, self._form, proxies = _read_marker(root)
        lists = {
            proxy: below(root, LISTS[self._form].path.format(proxy=proxy)) for proxy in proxies
        }
        self.proxies = tuple(proxy for proxy, place in lists.items() if exists(place))
        if not self.proxies:
            raise RequestError(f"{root} holds no list yet; export to its end first")
        self._lists = {proxy: ExportList(lists[proxy], LISTS[self._form]) for proxy in self.proxies}
        self._ledgers = Ledgers((), lambda _: ())
        self._tables: dict[str, tuple[SampleTable, GradualWork]] = {}
        self._lock = threading.Lock()

    def overview(self) -> dict[str, Any]:
        return {
            "title": self._name,
            "kind": self.kind,
            "url": self.url,
            "format": self._form,
            "complete": True,
            "notes": [
                f"An export for {self._form}: pictures, targets and instructions. Segments, "
                "licences and rejected inputs stand in the corpus that it was made of."
            ],
            "proxies": [self._proxy(proxy) for proxy in self.proxies],
            "inputs": None,
            "sources": [],
            "left_out": [],
            "rejected": False,
        }

    def table(self, proxy: str) -> SampleTable:
        return self._of(proxy)[0]

    def reading(self, proxy: str) -> GradualWork:
        return self._of(proxy)[1]

    def load(self, proxy: str, number: int) -> None:
        self.reading(proxy).finish()

    def members(self, place: Place, names: Names[str]) -> Mapping[str, bytes]:
        if not self._holds(place):
            raise RequestError(f"{place.proxy} has no sample {place.key}")
        sample, folder = self._lists[place.proxy].sample(place.key), join(self.url, place.proxy)
        members: dict[str, bytes] = {}
        if "instruction" in names:
            members["instruction"] = sample.instruction.encode()
        if "input" in names:
            members["input"] = read_bytes(below(folder, sample.picture))
        if "target" in names:
            members["target"] = read_bytes(below(folder, sample.target))
        return members

    def missing_input(self, proxy: str) -> str:
        return ""

    def holders(self, shard: str, key: str) -> Sequence[Holder]:
        return [Holder(proxy, self._holds(Place(proxy, shard, key))) for proxy in self.proxies]

    def ledgers(self) -> Ledgers:
        return self._ledgers

    def _proxy(self, proxy: str) -> dict[str, Any]:
        self.reading(proxy).finish()
        count = self.table(proxy).total
        return {
            "name": proxy,
            "type": "",
            "variant": "",
            "tier": "",
            "degrades": False,
            "totals": {"samples": count, "inputs": count},
            "sources": {},
        }

    def _of(self, proxy: str) -> tuple[SampleTable, GradualWork]:
        if proxy not in self.proxies:
            raise RequestError(f"proxy: found {cut(proxy)}; allowed: {', '.join(self.proxies)}")
        with self._lock:
            if proxy not in self._tables:
                table = SampleTable((SHARD,), (0,))
                work = GradualWork(self._lists[proxy].read_into(table))
                self._tables[proxy] = table, work
            return self._tables[proxy]

    def _holds(self, place: Place) -> bool:
        if place.proxy not in self.proxies or place.shard != SHARD:
            return False
        self.reading(place.proxy).finish()
        return place.key in self._lists[place.proxy].rows


def _read_marker(root: str) -> tuple[str, str, list[str]]:
    """Name of the corpus, format and proxies that an export states."""
    place = below(root, EXPORT_MARKER)
    try:
        stated = loads_bounded(read_bytes(place))
        name, form = str(stated["corpus"]), stated["format"]
        proxies = [checked_folder(proxy) for proxy in stated["fingerprints"]]
    except (ValueError, KeyError, TypeError) as why:
        raise CorpusError(f"{place} is not that of an export: {in_words(why)}") from why
    if form not in LISTS:
        raise RequestError(
            f"{place}: found an export of format {cut(form, 40)}; shown are those of "
            f"{', '.join(LISTS)}"
        )
    return name, form, proxies
