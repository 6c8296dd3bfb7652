"""Suggestions for a name that is not known: the nearest of those that are."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from sgt_data.value_text import cut

_LIKENESS_MIN = 0.6


def did_you_mean(name: object, known: Iterable[object]) -> str:
    """`; did you mean NAME?` where a known name is near to a name that was given; else nothing.

    Letters of either case and `-`, `_`, spaces count as equal.

    Args:
        name: what was given; a value that is no text has no near name.
        known: the names that there are.
    """
    if not isinstance(name, str):
        return ""
    by_form: dict[str, str] = {}
    for each in known:
        by_form.setdefault(_form(str(each)), str(each))
    near = get_close_matches(_form(name), by_form, 1, _LIKENESS_MIN)
    return f"; did you mean {by_form[near[0]]}?" if near else ""


def not_among(name: object, known: Iterable[object]) -> str:
    """What was found, what is allowed, and what may have been meant: the end of a message.

    Args:
        name: what was given.
        known: the names that there are, in the order in which they are shown.
    """
    names = [str(each) for each in known]
    return f"found {cut(name)}; allowed: {', '.join(names)}{did_you_mean(name, names)}"


def _form(name: str) -> str:
    return name.lower().replace("_", "-").replace(" ", "-")
