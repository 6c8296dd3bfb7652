"""The control whose targets are right pictures in the wrong place: same pixels, no meaning (pure).

Every drawing gets the target of another picture of the same proxy in its batch.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sgt_data.errors import CorpusError, RequestError
from sgt_data.value_text import counted

_OF_TARGET = ("target", "classes")


def with_wrong_targets(samples: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Drawings, each with the target of another picture of its proxy.

    The pictures of a proxy are ordered by key and pass their targets on as far as the most frequent
    key is frequent, so none gets a target of its own picture, and each target is used once.

    Args:
        samples: drawings of one batch, with `proxy`, `key` and `target`.

    Raises:
        CorpusError: more than half of a proxy's drawings are of one picture.
    """
    places: dict[str, list[int]] = defaultdict(list)
    for place, sample in enumerate(samples):
        places[sample["proxy"]].append(place)
    wrong = [dict(sample) for sample in samples]
    for proxy, mine in places.items():
        key, most = Counter(samples[place]["key"] for place in mine).most_common(1)[0]
        if 2 * most > len(mine):
            raise CorpusError(
                f"data.wrong_targets: of {counted(len(mine), 'drawing')} of {proxy} in a batch, "
                f"{most} are of the picture {key}, so that not all can get the target of another "
                "one; set drawings below the number of pictures that are drawn"
            )
        ordered = sorted(mine, key=lambda place: (samples[place]["key"], place))
        for number, place in enumerate(ordered):
            giver = samples[ordered[number - most]]
            wrong[place] |= {name: giver[name] for name in _OF_TARGET if name in giver}
    return wrong


def check_wrong_targets(drawings: int, proxies: int, world: int) -> None:
    """Check that every process has at least two drawings of every proxy in each batch.

    Args:
        drawings: drawings of a global batch.
        proxies: number of proxies that share them.
        world: number of processes.

    Raises:
        RequestError: a process has fewer.
    """
    if drawings // proxies // world < 2:
        raise RequestError(
            f"data.wrong_targets: drawings is {drawings} for {counted(proxies, 'proxy')}"
            f" on {counted(world, 'process')}, and each of them needs two drawings of "
            f"a proxy, to exchange their targets; set drawings to {2 * proxies * world} or more"
        )
