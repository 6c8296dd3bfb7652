"""Look up the proxies that a plan names in a corpus: by name, or by kind.

Pure: a plan and the proxies of a manifest in, a plan with the corpus' own names out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sgt_data.errors import RequestError
from sgt_data.experiment.plan.experiment_plan import Plan, names_in
from sgt_data.experiment.plan.primary_contrast import PrimaryContrast
from sgt_data.suggestions import did_you_mean

_TOGETHER = " and "
_WITH_CATEGORIES = ("semantic", "panoptic", "instance")
"""Variants of segmentation whose segments have categories, those that draw them all first."""


def with_corpus_proxies(plan: Plan, proxies: Sequence[Mapping[str, Any]]) -> tuple[Plan, list[str]]:
    """Replace the proxies in a plan by the names in a corpus: in `proxies` and in names of arms.

    A plan names a proxy by the corpus' name, or by its kind: its type (`depth`), or the variant of
    a segmentation (`semantic`). Where the corpus has several of a kind, its first is taken. With
    `leave_out_missing`, entries and controls that the corpus lacks are left out (a list as a
    whole), and another segmentation with categories stands in for a `semantic` that is missing.

    Args:
        plan: plan whose proxies are looked up.
        proxies: proxies of the corpus' manifest, in order.

    Returns:
        The plan, and notes for the reader of the results.

    Raises:
        RequestError: the corpus lacks a proxy, has none of the plan's, or none with categories.
    """
    corpus_names = _names_by_word(proxies)
    words = plan.drawn_names
    in_corpus = ", ".join(str(proxy["name"]) for proxy in proxies)
    if not any(variant in corpus_names for variant in _WITH_CATEGORIES):
        raise RequestError(
            f"proxies: the corpus has {in_corpus}, and an experiment asks about categories; it "
            f"needs a segmentation of variant {', '.join(_WITH_CATEGORIES)}, from a source whose "
            f"annotations name categories, as COCO's do. {_how_to_add(_WITH_CATEGORIES[:1])}"
        )
    stand_ins = _stand_ins(words, corpus_names) if plan.leave_out_missing else {}
    corpus_names |= stand_ins
    missing = [word for word in words if word not in corpus_names]
    if missing and not plan.leave_out_missing:
        near = did_you_mean(missing[0], corpus_names)
        raise RequestError(
            f"proxies: found {missing[0]!r}; the corpus has {in_corpus}{near}. "
            f"{_how_to_add(missing)}"
        )
    entries: list[str | list[str]] = []
    for entry in plan.proxies:
        names = [corpus_names[word] for word in names_in(entry) if word in corpus_names]
        if len(names) == len(names_in(entry)):
            entries.append(names[0] if isinstance(entry, str) else names)
    if not entries:
        raise RequestError(
            f"proxies: the corpus has none of {', '.join(words)}; it has {in_corpus}. Name some of "
            f"these with --set 'proxies=[NAME]'. {_how_to_add(missing)}"
        )
    notes = [f"{word}: the corpus has no such proxy; what draws it is left out" for word in missing]
    notes += [
        f"{word}: the corpus has no such proxy; {name} is drawn in its place"
        for word, name in stand_ins.items()
    ]
    if missing or stand_ins:
        notes.append(_how_to_add([*stand_ins, *missing]))
    notes += [
        f"{word}: drawn by the corpus' proxy {corpus_names[word]}"
        for word in words
        if corpus_names.get(word, word) != word and word not in stand_ins
    ]
    settings = {
        _arm_name(name, corpus_names): fields
        for name, fields in plan.settings.items()
        if not set(_words_in(name)) & set(missing)
    }
    controls = [
        _arm_name(name, corpus_names)
        for name in plan.controls
        if not set(_words_in(name)) & set(missing)
    ]
    primary, primary_notes = _with_corpus_names(plan.primary, corpus_names, missing)
    plan = replace(plan, proxies=entries, settings=settings, controls=controls, primary=primary)
    return plan, [*notes, *primary_notes]


def _with_corpus_names(
    primary: PrimaryContrast | None, corpus_names: Mapping[str, str], missing: Sequence[str]
) -> tuple[PrimaryContrast | None, list[str]]:
    """The primary contrast with the corpus' names; none, with a note, where it needs what lacks."""
    if primary is None:
        return None, []
    lacking = [
        word
        for arm in (primary.arm, primary.baseline)
        for word in _words_in(arm)
        if word in missing
    ]
    if lacking:
        return None, [f"primary: the corpus has no proxy {lacking[0]}; no contrast is primary"]
    arm, baseline = (_arm_name(name, corpus_names) for name in (primary.arm, primary.baseline))
    return replace(primary, arm=arm, baseline=baseline), []


def _stand_ins(words: Sequence[str], corpus_names: Mapping[str, str]) -> dict[str, str]:
    """By word: the corpus' proxy that is drawn in place of a missing segmentation."""
    if "semantic" not in words or "semantic" in corpus_names:
        return {}
    taken = {corpus_names.get(word) for word in words}
    variants = [variant for variant in _WITH_CATEGORIES if variant in corpus_names]
    names = [corpus_names[variant] for variant in variants if corpus_names[variant] not in taken]
    return {"semantic": names[0]} if names else {}


def _how_to_add(words: Sequence[str]) -> str:
    """How a person adds proxies to a corpus that is built."""
    lines = "".join(f"\n  - {_entry(word)}" for word in words)
    return (
        "What is missing can be added: put this below `proxies:` in the corpus' manifest, and run "
        f"the same `sgt-data build` again:{lines}"
    )


def _entry(word: str) -> str:
    """The entry of a manifest for a proxy that a plan names by its kind."""
    if word in (*_WITH_CATEGORIES, "entity"):
        return f"{{type: segmentation, name: {word}, variant: {word}}}"
    return f"{{type: {word}}}"


def _arm_name(name: str, corpus_names: Mapping[str, str]) -> str:
    """An arm's name with the corpus' proxy names in it; names of controls stay as they are."""
    drawn, comma, how = name.partition(", ")
    words = [corpus_names.get(word, word) for word in drawn.split(_TOGETHER)]
    return f"{_TOGETHER.join(words)}{comma}{how}"


def _words_in(arm: str) -> list[str]:
    """The proxies in an arm's name, or a part of the name of a control."""
    return arm.partition(", ")[0].split(_TOGETHER)


def _names_by_word(proxies: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The corpus' proxy name by every word that may stand for it; a name goes before a kind."""
    names: dict[str, str] = {}
    for proxy in proxies:
        kind = proxy["variant"] if proxy["type"] == "segmentation" else proxy["type"]
        names.setdefault(str(kind), str(proxy["name"]))
    return names | {str(proxy["name"]): str(proxy["name"]) for proxy in proxies}
