"""Values as messages quote them: short, and cut within their quotes and brackets."""

from __future__ import annotations

from numbers import Integral

CUT = "…"
"""What stands where a value was cut."""

_CLOSING = {"[": "]", "(": ")", "{": "}"}


def cut(value: object, letters: int = 80) -> str:
    """A value as Python writes it, with `…` in place of what is longer.

    The quotes of a text and the brackets of a list close behind the cut.

    Args:
        value: any value.
        letters: the most of the whole text; at least 4.
    """
    try:
        whole = repr(value)
    except RecursionError:
        return "a value that is nested deeply"
    if len(whole) <= letters:
        return whole
    if isinstance(value, str | bytes):
        end = whole[-1]
        return whole[: letters - 2].rstrip("\\") + CUT + end
    end = _CLOSING.get(whole[0], "")
    return whole[: letters - 1 - len(end)] + CUT + end


def cut_text(text: str, letters: int) -> str:
    """A text without quotes, with `…` at its end where it is longer than `letters`."""
    return text if len(text) <= letters else text[: letters - 1] + CUT


def counted(number: float, noun: str) -> str:
    """A number with its noun, such as `1 proxy` or `1,200 proxies`.

    Args:
        number: how many.
        noun: what, in the singular; its plural is regular.
    """
    figure = f"{number:,}" if isinstance(number, Integral) else f"{number:g}"
    if number == 1:
        return f"{figure} {noun}"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{figure} {noun[:-1]}ies"
    return f"{figure} {noun}{'es' if noun.endswith(('s', 'x', 'ch', 'sh')) else 's'}"
