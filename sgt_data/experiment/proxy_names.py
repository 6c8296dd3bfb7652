"""Which proxies of a corpus a plan means: pure, from names and kinds to names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sgt_data.errors import RequestError
from sgt_data.experiment.arms import Plan

_TOGETHER = " and "


def with_proxies_of(
    plan: Plan, proxies: Sequence[Mapping[str, Any]], leave_out: bool
) -> tuple[Plan, list[str]]:
    """The plan with the names that its proxies, and the arms that draw them, have in a corpus.

    A plan names a proxy as the corpus does, or by its kind: its type (`depth`), or the variant of a
    segmentation (`semantic`). Of several of a kind the corpus' first is taken.

    Args:
        plan: whose `proxies` are looked up.
        proxies: of the corpus' manifest, in order.
        leave_out: leave out what the corpus does not have, rather than refuse; of proxies that are
            compared, those drawn together stay together or are left out together.

    Returns:
        The plan, and what a reader must be told about it.

    Raises:
        RequestError: the corpus lacks a proxy, or has none of them.
    """
    known = _by_word(proxies)
    wanted = list(dict.fromkeys(word for entry in plan.proxies for word in _words(entry)))
    missing = [word for word in wanted if word not in known]
    there = ", ".join(str(one["name"]) for one in proxies)
    if missing and not leave_out:
        raise RequestError(f"proxies: found {missing[0]!r}; the corpus has {there}")
    found: list[str | list[str]] = []
    for entry in plan.proxies:
        names = [known[word] for word in _words(entry) if word in known]
        if len(names) == len(_words(entry)):
            found.append(names[0] if isinstance(entry, str) else names)
    if not found:
        raise RequestError(
            f"proxies: the corpus has none of {', '.join(wanted)}; it has {there}; "
            "name some of these"
        )
    notes = [f"{word}: the corpus has no such proxy; what draws it is left out" for word in missing]
    notes += [
        f"{word}: drawn by the corpus' proxy {known[word]}"
        for word in wanted
        if known.get(word, word) != word
    ]
    settings = {
        _arm(name, known): fields
        for name, fields in plan.settings.items()
        if not set(name.split(_TOGETHER)) & set(missing)
    }
    return replace(plan, proxies=found, settings=settings), notes


def _arm(name: str, known: Mapping[str, str]) -> str:
    """The name of an arm with the corpus' names of what it draws; controls keep theirs."""
    return _TOGETHER.join(known.get(word, word) for word in name.split(_TOGETHER))


def _words(entry: str | Sequence[str]) -> list[str]:
    return [entry] if isinstance(entry, str) else list(entry)


def _by_word(proxies: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Names by what they can be called; a name itself goes before a kind."""
    found: dict[str, str] = {}
    for one in proxies:
        kind = one["variant"] if one["type"] == "segmentation" else one["type"]
        found.setdefault(str(kind), str(one["name"]))
    return found | {str(one["name"]): str(one["name"]) for one in proxies}
