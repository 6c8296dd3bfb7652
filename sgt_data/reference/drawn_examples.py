"""Samples of the drawn scenes of this package, as examples of what a proxy draws.

A scene is written in the formats of SA-1B and COCO with exact depth and normals, and a corpus is
built from it in this process, in a folder that is removed again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sgt_data.corpus.sample import Sample
from sgt_data.engine.build import build_corpus
from sgt_data.engine.cluster import IN_PROCESS
from sgt_data.errors import RequestError
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.proxies.registry import proxy_kinds
from sgt_data.scenes.depth import INVERSE_PER_CODE
from sgt_data.scenes.write_samples import write_samples
from sgt_data.sources.registry import source_kinds
from sgt_data.subsets.open_corpus import open_corpus

_SEED = 1
_SIZE = 640, 480
_SOURCE_ORDER = ("coco", "sa1b")
SCENE_SOURCES = (*_SOURCE_ORDER, "folder", "tars", "pairs")
"""Types of the sources that a drawn scene is written for."""

_REVERSED: Mapping[str, Mapping[str, Any]] = {
    "panoptic": {"type": "segmentation", "variant": "panoptic"},
    "depth": {"type": "depth"},
}
"""Proxies that examples reverse, by the name that the examples give them."""


@dataclass(frozen=True, slots=True)
class DrawnExample:
    """An entry of a manifest, and a sample of the proxy that it makes.

    Attributes:
        name: of the proxy.
        entry: that draws it.
        sample: what it draws.
    """

    name: str
    entry: Mapping[str, Any]
    sample: Sample


def draw_examples(entries: Sequence[Mapping[str, Any]]) -> tuple[DrawnExample, ...]:
    """Draw proxies of one scene; those are left out that name an annotator, or need other layers.

    Args:
        entries: of proxies, as in a manifest. They are drawn for a source of COCO's form, or of
            SA-1B's where an entry names it or needs it.

    Raises:
        RequestError: no entry can be drawn of the scene.
    """
    with _scene_sources() as sources:
        return _drawn(entries, sources)


def draw_layers(source: str, by_layer: Mapping[str, Mapping[str, Any]]) -> tuple[DrawnExample, ...]:
    """Draw what a source gives of one scene.

    Args:
        source: type of the source, one of `SCENE_SOURCES`.
        by_layer: by layer, an entry of a proxy that shows it; `edges` where there is none.
    """
    with _scene_sources() as sources:
        offered = source_kinds()[source].model_validate(sources[source]).offers()
        entries = [entry for layer, entry in by_layer.items() if layer in offered]
        return _drawn(entries or [by_layer["edges"]], {source: sources[source]})


def _drawn(
    entries: Sequence[Mapping[str, Any]], sources: Mapping[str, Mapping[str, Any]]
) -> tuple[DrawnExample, ...]:
    placed = [(entry, _fitting_source(entry, sources)) for entry in entries]
    drawable = [(entry, name) for entry, name in placed if name]
    if not drawable:
        raise RequestError("no example can be drawn of a sample scene without an annotator")
    proxies = [
        {**entry, "name": f"p{number}", "sources": [name]}
        for number, (entry, name) in enumerate(drawable)
    ]
    used = dict.fromkeys(name for _, name in drawable)
    bases = {
        entry["of"]: {**_REVERSED[entry["of"]], "name": entry["of"], "sources": [name]}
        for entry, name in drawable
        if entry.get("of") in _REVERSED
    }
    samples = _built([sources[name] for name in used], proxies, list(bases.values()))
    return tuple(
        DrawnExample(_name_of(entry), entry, sample)
        for (entry, _), sample in zip(drawable, samples, strict=True)
        if sample is not None
    )


@contextmanager
def _scene_sources() -> Iterator[dict[str, dict[str, Any]]]:
    """By type, sources that hold a drawn scene, as entries of a manifest."""
    with TemporaryDirectory(prefix="sgt-data-") as folder:
        root = str(Path(folder) / "scenes")
        write_samples(root, 1, seed=_SEED, size=_SIZE)
        unit = {"depth_is": "inverse", "depth_unit": INVERSE_PER_CODE}
        beside = {"normals": f"{root}/normals", "intrinsics": f"{root}/intrinsics.json"}
        depth = {"depth": f"{root}/depth", **unit, **beside}
        split = next(Path(root, "coco").glob("*2017")).name
        yield {
            "coco": {"type": "coco", "name": "coco", "root": f"{root}/coco",
                     "split": split, "annotations": ["instances", "panoptic"]} | depth,
            "sa1b": {"type": "sa1b", "name": "sa1b", "tars": f"{root}/sa1b/*.tar"} | depth,
            "folder": {"type": "folder", "name": "folder", "pictures": f"{root}/coco/{split}"}
            | depth,
            "tars": {"type": "tars", "name": "tars", "tars": f"{root}/sa1b/*.tar"},
            "pairs": {"type": "pairs", "name": "pairs", "pictures": f"{root}/coco/{split}",
                      "targets": f"{root}/coco/annotations/panoptic_{split}"},
        }  # fmt: skip


def _fitting_source(
    entry: Mapping[str, Any], sources: Mapping[str, Mapping[str, Any]]
) -> str | None:
    """The source that an entry can be drawn for without an annotator; None where there is none."""
    proxy = proxy_kinds()[entry["type"]].model_validate(entry)
    if proxy.annotator_for(frozenset()) is not None:  # the scene's own layers would hide it
        return None
    for name in proxy.sources or [*_SOURCE_ORDER, *sources]:
        if name in sources:
            layers = source_kinds()[name].model_validate(sources[name]).offers()
            if proxy.unmet_need(layers) is None:
                return name
    return None


def _built(
    sources: Sequence[Any], proxies: Sequence[Any], bases: Sequence[Any]
) -> list[Sample | None]:
    """The first sample of each proxy; None where the scene is left out.

    Args:
        sources, proxies: entries of a manifest.
        bases: further proxies of it, which some of these reverse.
    """
    with TemporaryDirectory(prefix="sgt-data-") as folder:
        manifest = parse_manifest(
            {
                "name": "examples",
                "pictures": {"min_side": 64, "max_side": 1024, "multiple_of": 16},
                "sources": list(sources),
                "proxies": [
                    {**entry, **_missing_lines(entry, f"{folder}/{number}.txt")}
                    for number, entry in enumerate(proxies)
                ]
                + list(bases),
                "max_filtered": 1.0,
            }
        )
        build_corpus(manifest, f"{folder}/corpus", cluster=IN_PROCESS)
        corpus = open_corpus(f"{folder}/corpus")
        return [next(iter(corpus.samples(proxy["name"])), None) for proxy in proxies]


def _missing_lines(entry: Mapping[str, Any], file: str) -> dict[str, str]:
    """Instructions for a proxy that has none, as a manifest gives them; empty where it has some."""
    proxy = proxy_kinds()[entry["type"]].model_validate(entry)
    if proxy.instructions or proxy.bank_for(None):
        return {}
    words = "".join(f" {{{min(group)}}}" for group in proxy.needed_words())
    lines = f"The manifest gives the instruction.{words}"
    Path(file).write_text(f"[train]\n{lines}\n[held-out]\nSo it does here.{words}\n")
    return {"instructions": file}


def _name_of(entry: Mapping[str, Any]) -> str:
    return proxy_kinds()[entry["type"]].model_validate(entry).name
