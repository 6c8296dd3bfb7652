"""What a contact sheet says beneath its pictures: captions, and instructions that fit."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from PIL import ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

_CUT = " …"
_NO_SUCH_LETTER = "\ue000"  # private use: no font has it


@lru_cache(maxsize=16)
def font(size: int) -> Font:
    return ImageFont.load_default(size)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text, and which of its letters stand out, as pairs of first and last but one."""

    text: str
    marked: tuple[tuple[int, int], ...]


def wrapped(text: str, width: int, size: int, most: int, marks: Sequence[str] = ()) -> list[Line]:
    """At most `most` lines of `width` pixels, the last one ending in an ellipsis if cut.

    Args:
        marks: what is to stand out wherever the text has it, in either case.
    """
    whole = " ".join(drawable(text).split())
    spans = list(_spans(whole, [" ".join(drawable(mark).split()) for mark in marks]))
    lines: list[Line] = []
    start = 0
    while start < len(whole) and len(lines) < most:
        end = _line_end(whole, start, width, size)
        line, begin = whole[start:end], start
        start = end + 1 if whole[end : end + 1] == " " else end
        if len(lines) == most - 1 and start < len(whole):
            line = shortened(line + whole[end:], width, size)
        lines.append(Line(line, tuple(_within(spans, begin, len(line.removesuffix(_CUT))))))
    return lines


def shortened(text: str, width: int, size: int) -> str:
    """The text, or as much of it as fits with an ellipsis: whole words if there are several."""
    text = drawable(text)
    if length(text, size) <= width:
        return text
    while text and length(text + _CUT, size) > width:
        text = text.rpartition(" ")[0] or text[:-1]
    return text + _CUT


def length(text: str, size: int) -> float:
    """In pixels."""
    return font(size).getlength(text)


def drawable(text: str) -> str:
    """The text without what the font cannot draw, as far as plain letters say the same."""
    return "".join(
        letter if _has_glyph(letter) else _plain(letter) for letter in text if letter.isprintable()
    )


def caption_facts(facts: Mapping[str, Any]) -> list[str]:
    """What matters of one sample beside its proxy's name; the first ones most."""
    if "referring" in facts:
        return [str(facts["referring"]["phrase"])]
    if "degradation" in facts:
        return [_parameter(*one) for one in facts["degradation"].items()] or ["unchanged"]
    if "segments" in facts:
        count = len(facts["segments"])
        noun = "box" if facts["type"] == "boxes" else "segment"
        plural = "es" if noun == "box" else "s"
        return [f"{count} {noun}{'' if count == 1 else plural}"]
    if facts["type"] == "depth":
        return [facts["colormap"], f"{facts['bits']} bits"]
    if facts["type"] == "edge":
        thresholds = " and ".join(map(str, facts.get("thresholds", ())))
        return [facts["method"], *([f"thresholds {thresholds}"] if thresholds else [])]
    return []


def fitting(parts: Sequence[str], width: float, size: int) -> str:
    """As many of the parts as fit, with commas between; a first one that does not is cut."""
    for count in range(len(parts), 1, -1):
        text = drawable(", ".join(parts[:count]))
        if length(text, size) <= width:
            return text
    return shortened(parts[0], int(width), size) if parts else ""


def instruction_words(facts: Mapping[str, Any]) -> tuple[str, ...]:
    """What was filled into the instruction of one sample."""
    return tuple(map(str, facts["instruction"].get("words", {}).values()))


def _parameter(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value.replace("_", " ")
    if isinstance(value, float):
        value = f"{value:.2g}" if abs(value) < 100 else f"{value:.0f}"
    return f"{name.replace('_', ' ')} {value}"


def _line_end(text: str, start: int, width: int, size: int) -> int:
    """Where the line that begins at `start` ends: before a space, or within a word that is wider
    than the line."""
    end = start
    for position in [at for at in range(start + 1, len(text)) if text[at] == " "] + [len(text)]:
        if length(text[start:position], size) > width:
            break
        end = position
    if end > start:
        return end
    end = start + 1
    while end < len(text) and length(text[start : end + 1], size) <= width:
        end += 1
    return end


def _spans(text: str, marks: Sequence[str]) -> Iterator[tuple[int, int]]:
    folded = text.lower()
    for mark in marks:
        begin = folded.find(mark.lower()) if mark else -1
        while begin >= 0:
            yield begin, begin + len(mark)
            begin = folded.find(mark.lower(), begin + len(mark))


def _within(
    spans: Sequence[tuple[int, int]], start: int, letters: int
) -> Iterator[tuple[int, int]]:
    for begin, end in spans:
        first, last = max(begin - start, 0), min(end - start, letters)
        if first < last:
            yield first, last


@lru_cache(maxsize=1024)
def _has_glyph(letter: str) -> bool:
    return letter.isascii() or bytes(font(20).getmask(letter)) != _missing_glyph()


@lru_cache(maxsize=1)
def _missing_glyph() -> bytes:
    return bytes(font(20).getmask(_NO_SUCH_LETTER))


def _plain(letter: str) -> str:
    if unicodedata.category(letter) == "Pd":
        return "-"
    plain = unicodedata.normalize("NFKD", letter)
    return "".join(one for one in plain if one.isascii()) or letter
