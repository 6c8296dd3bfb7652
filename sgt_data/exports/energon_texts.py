"""What energon reads beside tars, as text: `.nv-meta/`, and metadatasets (pure).

The files of `.nv-meta/` are, byte for byte, those of `energon prepare --split-ratio 1,0,0
--sample-type CrudeWebdataset`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

VERSION = "7.4.1"
"""Of the package megatron-energon, whose form is written."""

MODULE = "sgt_pairs"
"""Name of the Python module in an export, which energon imports."""

METADATASET = "metadataset.yaml"

_DIGITS = re.compile(r"([0-9]+)")
_PIECES = ["input", "target", "instruction", "facts"]
_MEMBERS = ["input.jpg", "target.png,target.jpg", "txt", "json"]


def info_text(samples: Mapping[str, int]) -> str:
    """`.info.json`: how many samples each tar has, by its name."""
    return json.dumps({"energon_version": VERSION, "shard_counts": dict(samples)}, indent=2)


def split_text(tars: Sequence[str]) -> str:
    """`split.yaml`: every tar is of `train`, and none of `val` and `test`."""
    parts = {"train": list(ranges_of(tars)), "val": [], "test": []}
    return yaml.safe_dump({"split_parts": parts, "exclude": []}, sort_keys=False)


def crude_text() -> str:
    """`dataset.yaml`: samples as dictionaries of a tar's members, for cookers and joins."""
    return _yaml({"__module__": "megatron.energon", "__class__": "CrudeWebdataset"})


def pairs_text() -> str:
    """`pairs.yaml`: samples as `ImagePair`, of tars that hold whole samples."""
    return _yaml(
        {
            "sample_type": {"__module__": MODULE, "__class__": "ImagePair"},
            "field_map": dict(zip(_PIECES, _MEMBERS, strict=True)),
        }
    )


def metadataset_text(joined: Mapping[str, str]) -> str:
    """The metadataset of a proxy, in the proxy's folder.

    Args:
        joined: by part of a sample (`own`, `base`, `shared`): the folder of tars that has it. With
            `own` alone, the tars hold whole samples.
    """
    if len(joined) == 1:
        return _metadataset({"path": ".", "dataset_config": "pairs.yaml"})
    join = {
        part: {"path": "." if part == "own" else f"../{folder}"} for part, folder in joined.items()
    }
    joiner = "reversed_pair" if "base" in joined else "joined_pair"
    return _metadataset({"join": join, "joiner": {"__module__": MODULE, "__function__": joiner}})


def blend_text(proxies: Sequence[str]) -> str:
    """The metadataset of several proxies: an epoch has every sample of each once."""
    return _metadataset(
        {"blend_epochized": [{"path": f"{proxy}/{METADATASET}"} for proxy in proxies]}
    )


def ranges_of(names: Sequence[str]) -> Iterator[str]:
    """Names in order, where those that follow one another by a number are one brace expression.

    `a-08.tar, a-09.tar, a-10.tar` is `a-{08..10}.tar`. In such a run one number alone differs, each
    is one more than the one before, and all are written with as many digits.
    """
    parts = [_DIGITS.split(name) for name in names]
    start = 0
    while start < len(names):
        place, end = None, start + 1
        while end < len(names):
            counted = _counted_up(parts[end - 1], parts[end])
            if counted is None or place not in (None, counted):
                break
            place, end = counted, end + 1
        if place is None:
            yield names[start]
        else:
            run = list(parts[start])
            run[place] = f"{{{parts[start][place]}..{parts[end - 1][place]}}}"
            yield "".join(run)
        start = end


def _counted_up(before: Sequence[str], after: Sequence[str]) -> int | None:
    """Place of the number that is one more in the second name, where all else is the same.

    Args:
        before, after: names, cut into text (at even places) and numbers.
    """
    if len(before) != len(after):
        return None
    pairs = zip(before, after, strict=True)
    differing = [place for place, (old, new) in enumerate(pairs) if old != new]
    if len(differing) != 1 or differing[0] % 2 == 0:
        return None
    old, new = before[differing[0]], after[differing[0]]
    return differing[0] if len(old) == len(new) and int(new) == int(old) + 1 else None


def _metadataset(train: Mapping[str, Any]) -> str:
    return _yaml(
        {
            "__module__": "megatron.energon",
            "__class__": "MetadatasetV2",
            "splits": {"train": dict(train)},
        }
    )


def _yaml(document: Mapping[str, Any]) -> str:
    text: str = yaml.safe_dump(dict(document), sort_keys=False)
    return text
