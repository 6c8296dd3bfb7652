"""The export for Megatron Energon: the corpus' tars, prepared, with metadatasets that join them.

OUTPUT/
  metadataset.yaml              every proxy: an epoch has each sample once
  sgt_pairs.py                  the type of samples, the cooker, and how parts are joined
  <proxy>/<shard>.tar           links to the corpus' tars, or copies of their bytes
  <proxy>/<shard>.tar.idx       where its samples begin
  <proxy>/.nv-meta/             as `energon prepare` writes it; and pairs.yaml: whole samples
  <proxy>/metadataset.yaml      the proxy; with shared inputs or a reversed proxy, a join by key
  <proxy>/metadataset.yaml.cache/   the index of this join
  input/                        shared inputs, in the same form

No tar is opened: all that energon wants to know of one stands in the corpus' index.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from importlib.resources import files
from typing import Any

from sgt_data.corpus.paths import INPUT
from sgt_data.errors import CorpusError, RequestError
from sgt_data.exports import energon_texts as texts
from sgt_data.exports.energon_index import IndexDatabase, tar_index
from sgt_data.exports.energon_join import join_name, join_pieces
from sgt_data.exports.export_format import Export, ExportFormat
from sgt_data.exports.export_options import ExportOptions
from sgt_data.exports.shard_tars import ShardTar, ShardTars, take_tar
from sgt_data.files.local_building import built_locally
from sgt_data.files.read_ahead import read_ahead
from sgt_data.files.spooled_writing import open_spooled
from sgt_data.value_text import cut

_META = ".nv-meta"
_AT_ONCE = 4
"""Tars that are copied at a time: while one waits for the disk or the store, others are read."""


class Energon(ExportFormat):
    """Tars for Megatron Energon, prepared and joined."""

    name = "energon"
    trainers = f"Megatron Energon {texts.VERSION}, and what is built on it"

    def __init__(self) -> None:
        self._identifiers: dict[str, str] = {}
        self._lacking: dict[str, bool] = {}
        self._blended: list[str] = []

    def identity(self, options: ExportOptions) -> dict[str, Any]:
        return {"energon": texts.VERSION}

    def check(self, export: Export) -> None:
        proxies = {proxy["name"]: proxy for proxy in export.corpus.header.manifest["proxies"]}
        for proxy in export.proxies:
            for folder in self._joined(export, proxy).values():
                _check_names(ShardTars(export.corpus, folder))
            base = export.corpus.bases.get(proxy, proxy)
            if proxies[base].get("bits") == 16:
                export.report.note(
                    f"{proxy}: {base} has 16 bits, which energon's own decoder clips to white; "
                    "build with bits: 8, or decode its PNGs in a cooker of your own"
                )

    def write(self, export: Export, proxy: str) -> Generator[int, None, None]:
        joined = self._joined(export, proxy)
        tars = {part: ShardTars(export.corpus, folder) for part, folder in joined.items()}
        if not tars["own"].samples:
            return
        for part, folder in reversed(joined.items()):
            if folder in self._identifiers:  # an earlier proxy needed it as well
                continue
            for count in self._write_folder(export, tars[part]):
                yield count if part == "own" else 0
        self._blended.append(proxy)
        export.files.write(f"{proxy}/{texts.METADATASET}", texts.metadataset_text(joined).encode())
        if len(joined) == 1:
            export.files.write(f"{proxy}/{_META}/pairs.yaml", texts.pairs_text().encode())
            return
        name = join_name([self._identifiers[folder] for folder in joined.values()])
        place = export.files.place(f"{proxy}/{texts.METADATASET}.cache/{name}")
        with open_spooled(place) as file:
            for piece in join_pieces(list(tars.values())):
                file.write(piece)

    def finish(self, export: Export) -> dict[str, str]:
        module = files("sgt_data.exports").joinpath(f"{texts.MODULE}.py.txt").read_text()
        return {
            texts.METADATASET: texts.blend_text(self._blended),
            f"{texts.MODULE}.py": module,
        }

    def _joined(self, export: Export, proxy: str) -> dict[str, str]:
        """By part of a sample, in the order of the join: the folder of tars that has it."""
        corpus = export.corpus
        joined = {"own": proxy}
        if (base := corpus.bases.get(proxy)) is not None:
            joined["base"] = base
        if corpus.header.manifest.get("inputs") == "shared" and self._lacks_inputs(
            export, base or proxy
        ):
            joined["shared"] = INPUT
        return joined

    def _lacks_inputs(self, export: Export, folder: str) -> bool:
        """Whether the pictures that a proxy is shown lie in the folder of shared inputs."""
        if folder not in self._lacking:
            tars = ShardTars(export.corpus, folder)
            first = next(iter(tars.samples), None)
            self._lacking[folder] = first is not None and _inputs_of(tars.read(first)) == 0
        return self._lacking[folder]

    def _write_folder(self, export: Export, tars: ShardTars) -> Generator[int, None, None]:
        """Write the tars of a folder and what energon needs to know of them; yields the samples of
        each tar."""
        folder = tars.folder

        def take(shard: str) -> ShardTar:
            tar = tars.read(shard)
            if self._lacking.get(folder) and _inputs_of(tar):
                raise CorpusError(
                    f"{export.corpus.url}: {folder}/{shard} has inputs of its own; other shards "
                    "of it take the shared ones"
                )
            take_tar(export.files, export.corpus, tar, f"{folder}/{tar.name}")
            return tar

        place = export.files.place(f"{folder}/{_META}/index.sqlite")
        with (
            built_locally(place) as path,
            closing(IndexDatabase(path)) as database,
            closing(read_ahead(take, tars.samples, _AT_ONCE)) as taken,
        ):
            for number, tar in enumerate(taken):
                export.files.put(f"{folder}/{tar.name}.idx", tar_index(tar))
                database.add(number, tar)
                yield len(tar.rows)
            self._identifiers[folder] = database.finish()
        by_name = {f"{shard}.tar": count for shard, count in tars.samples.items()}
        for name, text in (
            (".info.json", texts.info_text(by_name)),
            ("split.yaml", texts.split_text(list(by_name))),
            ("dataset.yaml", texts.crude_text()),
            ("index.uuid", self._identifiers[folder]),
        ):
            export.files.write(f"{folder}/{_META}/{name}", text.encode())


def _inputs_of(tar: ShardTar) -> int:
    """How many samples of a tar have their input in it."""
    lacking: int = tar.rows["input_size"].null_count
    return len(tar.rows) - lacking


def _check_names(tars: ShardTars) -> None:
    """energon expands braces in the names of tars."""
    for shard in tars.samples:
        if "{" in shard or "}" in shard:
            raise RequestError(
                f"{tars.folder}: the shard {cut(shard)} has a brace in its name, which energon "
                "expands; build the corpus from sources without braces in their names"
            )
