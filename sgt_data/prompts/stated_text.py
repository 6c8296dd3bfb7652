"""The instruction that a source states itself: any bytes in, a text that can stand in a line."""

from __future__ import annotations

import unicodedata

from sgt_data.errors import AnnotationError
from sgt_data.value_text import cut

TEXT_MAX = 8000
"""Longest text of a source, in characters; the longest instructions of editing sets have 2,000."""

_BYTES_MAX = 8 * TEXT_MAX


def stated_text(data: bytes) -> str:
    """The text, with plain line breaks, and without spaces at the ends of its lines.

    Raises:
        AnnotationError: it is empty, too long, no UTF-8, or holds control characters.
    """
    if len(data) > _BYTES_MAX:
        raise AnnotationError(f"text: {len(data)} bytes; allowed: {TEXT_MAX} characters")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as why:
        raise AnnotationError(f"text: byte {why.start} is no UTF-8") from why
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ").split("\n")
    plain = "\n".join(line.strip(" ") for line in lines).strip()
    if not plain:
        raise AnnotationError("text: it is empty")
    if len(plain) > TEXT_MAX:
        raise AnnotationError(f"text: {len(plain)} characters; allowed: {TEXT_MAX}")
    control = {
        sign for sign in plain if sign != "\n" and unicodedata.category(sign) in ("Cc", "Cs")
    }
    if control:
        raise AnnotationError(f"text: it holds the control character {cut(min(control), 20)}")
    return plain
