"""The names of pictures in folders, and which files may hold a picture already, to be linked."""

from __future__ import annotations

from collections.abc import Callable

from sgt_data.corpus.sample import Sample
from sgt_data.exports.export_format import Export

_EXTENSIONS = ("png", "jpg")

FileNames = Callable[[str, str, str], tuple[str, str]]
"""Paths of a sample's input picture and target below its proxy's folder, from its key, the format
of its target, and the format of its input (`png` or `jpg` each)."""


def pair_names(key: str, extension: str, input_extension: str) -> tuple[str, str]:
    """Names of the formats that have folders of inputs and targets, with the real extensions."""
    return f"input/{key}.{input_extension}", f"target/{key}.{extension}"


def same_files(export: Export, sample: Sample, names: FileNames) -> tuple[list[str], list[str]]:
    """Paths of files that may hold a sample's input, and its target, already; they need not exist.

    An input may be that of a proxy that was exported before. A reversed sample has both pictures of
    its base.

    Args:
        export: under way, with one folder per proxy, in the order of its proxies.
        sample: that is written next.
        names: the names that the format gives.
    """
    key, earlier = sample.key, export.proxies[: export.proxies.index(sample.proxy)]
    base = export.corpus.bases.get(sample.proxy)
    if base is None:
        candidates = {names(key, extension, sample.input_extension)[0] for extension in _EXTENSIONS}
        return [f"{other}/{name}" for other in earlier for name in sorted(candidates)], []
    if base not in earlier:
        return [], []
    shown, drawn = names(key, sample.input_extension, sample.extension)
    return [f"{base}/{drawn}"], [f"{base}/{shown}"]
