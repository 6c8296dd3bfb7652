"""Values as messages quote them: short, and cut within their quotes and brackets."""

from __future__ import annotations

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
    whole = repr(value)
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
