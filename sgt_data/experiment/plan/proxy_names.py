"""Look up the proxies that a plan names in a corpus: by name, or by kind.

Pure: a plan and the proxies of a manifest in, a plan with the corpus' own names out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sgt_data.errors import RequestError
from sgt_data.experiment.plan.experiment_plan import Plan, names_in
from sgt_data.suggestions import did_you_mean

_TOGETHER = " and "


def with_corpus_proxies(
    plan: Plan, proxies: Sequence[Mapping[str, Any]], leave_out: bool
) -> tuple[Plan, list[str]]:
    """Replace the proxies of a plan, and of its arms' settings, by the names in a corpus.

    A plan names a proxy by the corpus' name, or by its kind: its type (`depth`), or the variant of
    a segmentation (`semantic`). Where the corpus has several of a kind, its first is taken.

    Args:
        plan: plan whose `proxies` are looked up.
        proxies: proxies of the corpus' manifest, in order.
        leave_out: leave out entries that the corpus lacks, instead of raising. An entry that is a
            list stays whole or is left out whole.

    Returns:
        The plan, and notes for the reader of the results.

    Raises:
        RequestError: the corpus lacks a proxy, or has none of the plan's.
    """
    corpus_names = _names_by_word(proxies)
    words = list(dict.fromkeys(plan.proxy_names))
    missing = [word for word in words if word not in corpus_names]
    in_corpus = ", ".join(str(proxy["name"]) for proxy in proxies)
    if missing and not leave_out:
        near = did_you_mean(missing[0], corpus_names)
        raise RequestError(f"proxies: found {missing[0]!r}; the corpus has {in_corpus}{near}")
    entries: list[str | list[str]] = []
    for entry in plan.proxies:
        names = [corpus_names[word] for word in names_in(entry) if word in corpus_names]
        if len(names) == len(names_in(entry)):
            entries.append(names[0] if isinstance(entry, str) else names)
    if not entries:
        raise RequestError(
            f"proxies: the corpus has none of {', '.join(words)}; it has {in_corpus}; "
            "name some of these"
        )
    notes = [f"{word}: the corpus has no such proxy; what draws it is left out" for word in missing]
    notes += [
        f"{word}: drawn by the corpus' proxy {corpus_names[word]}"
        for word in words
        if corpus_names.get(word, word) != word
    ]
    settings = {
        _arm_name(name, corpus_names): fields
        for name, fields in plan.settings.items()
        if not set(name.split(_TOGETHER)) & set(missing)
    }
    return replace(plan, proxies=entries, settings=settings), notes


def _arm_name(name: str, corpus_names: Mapping[str, str]) -> str:
    """An arm's name with the corpus' proxy names in it; names of controls stay as they are."""
    return _TOGETHER.join(corpus_names.get(word, word) for word in name.split(_TOGETHER))


def _names_by_word(proxies: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The corpus' proxy name by every word that may stand for it; a name goes before a kind."""
    names: dict[str, str] = {}
    for proxy in proxies:
        kind = proxy["variant"] if proxy["type"] == "segmentation" else proxy["type"]
        names.setdefault(str(kind), str(proxy["name"]))
    return names | {str(proxy["name"]): str(proxy["name"]) for proxy in proxies}
