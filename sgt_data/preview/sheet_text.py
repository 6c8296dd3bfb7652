"""The text below the pictures of a contact sheet: captions, and instructions cut to fit."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import Any

from PIL import ImageFont

from sgt_data.facts import STATED, drawn_segments, reversed_facts
from sgt_data.value_text import counted

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

_CUT = " …"
_NO_SUCH_LETTER = "\ue000"  # private use: no font has it


@lru_cache(maxsize=16)
def font(size: int) -> Font:
    """The font of a sheet in a size in pixels."""
    return ImageFont.load_default(size)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text.

    Attributes:
        text: the letters of the line.
        marked: ranges of letters to highlight: begin, and end (exclusive).
    """

    text: str
    marked: tuple[tuple[int, int], ...]


def wrapped(text: str, width: int, size: int, most: int, marks: Sequence[str] = ()) -> list[Line]:
    """Text cut into lines; the last line ends with an ellipsis where the text goes on.

    Args:
        text: any text; runs of white space count as one space.
        width: width of a line in pixels.
        size: size of the font in pixels.
        most: the largest number of lines.
        marks: phrases to highlight wherever they are in the text, in upper or lower case.
    """
    whole = " ".join(printable(text).split())
    spans = list(_spans(whole, [" ".join(printable(mark).split()) for mark in marks]))
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
    """The text, or its beginning and an ellipsis where it is wider than `width` pixels.

    It is cut between words; a single word is cut within. Empty where not even a letter with an
    ellipsis fits.
    """
    text = printable(text)
    if text_width(text, size) <= width:
        return text
    ends = range(len(text))
    end = bisect_right(ends, width, key=lambda end: ceil(text_width(text[:end] + _CUT, size))) - 1
    if end <= 0:
        return ""
    within_word = text[end] != " "
    return (text[:end].rpartition(" ")[0] * within_word or text[:end]) + _CUT


def text_width(text: str, size: int) -> float:
    """The width of a text in pixels, for a size of the font in pixels."""
    return font(size).getlength(text)


def printable(text: str) -> str:
    """The text in letters that the font has.

    Control characters are left out; a letter that the font lacks becomes the plain letters that
    Unicode takes it apart into.
    """
    return "".join(
        letter if _has_glyph(letter) else _plain(letter) for letter in text if letter.isprintable()
    )


def caption_facts(facts: Mapping[str, Any]) -> list[str]:
    """What a caption states of a sample, the most important first.

    Args:
        facts: the JSON of the sample.
    """
    if (base := reversed_facts(facts)) is not None:
        return [f"reverse of {base['proxy']}"]
    if "referring" in facts:
        return [str(facts["referring"]["phrase"])]
    if facts["type"] == "each":
        count = len(drawn_segments(facts["segments"]))
        return [f"{count} of {facts['category']}", *(["absent"] if facts["negative"] else [])]
    if "legend" in facts:
        absent = sum(not entry["present"] for entry in facts["legend"]["entries"])
        return [str(facts["variant"]), str(facts["legend"]["form"]), f"{absent} absent"]
    if "degradation" in facts:
        return _degradation(facts["degradation"])
    if facts["type"] == "paired":
        audit = facts["audit"]
        return [str(audit["kind"]), counted(audit["colors"], "colour"), str(facts["stored"])]
    if "segments" in facts:
        count = len(drawn_segments(facts["segments"]))
        noun = "box" if facts["type"] == "boxes" else "segment"
        plural = "es" if noun == "box" else "s"
        look = facts.get("variant") or facts.get("look")
        return [f"{count} {noun}{'' if count == 1 else plural}", *([str(look)] if look else [])]
    if facts["type"] == "depth":
        return [facts["colormap"], f"{facts['bits']} bits"]
    if facts["type"] == "metric_depth":
        return [f"{_metres(facts['near'])} to {_metres(facts['far'])} m"]
    if facts["type"] == "normals":
        return [f"from {facts['from']}", str(facts["convention"])]
    if facts["type"] == "edge":
        thresholds = " and ".join(map(str, facts.get("thresholds", ())))
        return [facts["method"], *([f"thresholds {thresholds}"] if thresholds else [])]
    return []


def _metres(distance: float) -> str:
    return f"{distance:.2g}" if distance < 100 else f"{distance:.0f}"


def join_fitting(parts: Sequence[str], width: float, size: int) -> str:
    """The first parts, with commas between, as many as fit into `width` pixels.

    Where not even the first part fits, it is cut.
    """
    for count in range(len(parts), 1, -1):
        text = printable(", ".join(parts[:count]))
        if text_width(text, size) <= width:
            return text
    return shortened(parts[0], int(width), size) if parts else ""


def instruction_words(facts: Mapping[str, Any]) -> tuple[str, ...]:
    """The words that were filled into the instruction of a sample; none where they are all of it.

    Args:
        facts: the JSON of the sample.
    """
    if facts["instruction"].get("bank") == STATED:
        return ()
    return tuple(map(str, facts["instruction"].get("words", {}).values()))


def _degradation(parameters: Mapping[str, Any]) -> list[str]:
    """The kind of a degradation and its parameters; those of other kinds are stated as 0."""
    if not parameters or parameters.get("kind") == "none":
        return ["unchanged"]
    return [
        _parameter(name, value)
        for name, value in parameters.items()
        if "kind" not in parameters or value != 0
    ]


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
    spaces = [position for position in range(start + 1, len(text)) if text[position] == " "]
    for position in [*spaces, len(text)]:
        if text_width(text[start:position], size) > width:
            break
        end = position
    if end > start:
        return end
    end = start + 1
    while end < len(text) and text_width(text[start : end + 1], size) <= width:
        end += 1
    return end


def _spans(text: str, marks: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The ranges of letters that the marks take in a text."""
    folded = text.lower()
    for mark in marks:
        begin = folded.find(mark.lower()) if mark else -1
        while begin >= 0:
            yield begin, begin + len(mark)
            begin = folded.find(mark.lower(), begin + len(mark))


def _within(
    spans: Sequence[tuple[int, int]], start: int, letters: int
) -> Iterator[tuple[int, int]]:
    """The parts of ranges that lie in a line of `letters` letters from `start`, counted in it."""
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
    return "".join(part for part in plain if part.isascii()) or letter
