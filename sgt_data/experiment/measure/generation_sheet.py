"""A contact sheet of what a run drew of captions, beside what the captions were written for."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from sgt_data.experiment.measure.caption_checks import shows
from sgt_data.experiment.measure.caption_prompts import KINDS, PROMPT_TASKS, Kind, Prompt
from sgt_data.experiment.measure.seen_things import Seen
from sgt_data.files.writing import write_atomic

PER_TASK = 2
"""Number of captions of each task on the sheet."""

_CELL = 144
_GAP = 8
_TEXT_WIDTH = 190
_LETTERS, _LINES = 30, 6
_HEAD = 22
_FONT_SIZE = 12
_INK, _PAPER = (30, 30, 30), (255, 255, 255)
_RIGHT, _WRONG = (20, 120, 50), (180, 40, 30)

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A drawing, what it was drawn for, and whether it shows that; None where it is not scored."""

    drawing: Pixels
    true: Pixels
    is_right: bool | None


def write_generation_sheet(
    path: Path, prompts: Sequence[Prompt], drawings: Sequence[Pixels], seen: Seen
) -> None:
    """Write a PNG of some captions of each task: what was drawn of them, and what is true.

    Of a caption that is drawn both as a class map and as a picture, both are in one row. Below a
    drawing stands whether it shows what the caption says.

    Args:
        path: of the file.
        prompts: from `read_prompts`.
        drawings: what was drawn of each, [S, S, 3] uint8 RGB.
        seen: what each shows.
    """
    rows: dict[str, dict[str, dict[Kind, _Drawn]]] = defaultdict(dict)
    for prompt, drawing, things in zip(prompts, drawings, seen, strict=True):
        is_right = None if things is None else shows(prompt.line, things)
        caption = f"{prompt.line.key} {_caption(prompt)}"
        of_caption = rows[prompt.line.task].setdefault(caption, {})
        of_caption[prompt.kind] = _Drawn(drawing, prompt.true, is_right)
    chosen = [
        (task, *row)
        for task in PROMPT_TASKS
        for row in sorted(rows[task].items(), key=lambda row: -len(row[1]))[:PER_TASK]
    ]
    out = io.BytesIO()
    _sheet(chosen).save(out, "PNG")
    write_atomic(str(path), out.getvalue())


def _caption(prompt: Prompt) -> str:
    """The caption without what it asks to draw, which ends with a colon."""
    text = prompt.line.text
    return text.partition(": ")[2] or text


def _sheet(rows: Sequence[tuple[str, str, Mapping[Kind, _Drawn]]]) -> Image.Image:
    titles = [f"{word} {kind}" for kind in KINDS for word in ("drawn", "true")]
    line = _CELL + _HEAD
    sheet = Image.new(
        "RGB", (_TEXT_WIDTH + len(titles) * (_CELL + _GAP), _HEAD + len(rows) * line), _PAPER
    )
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(_FONT_SIZE)
    for column, title in enumerate(titles):
        pen.text((_TEXT_WIDTH + column * (_CELL + _GAP), 4), title, _INK, font)
    for number, (task, caption, drawn) in enumerate(rows):
        top = _HEAD + number * line
        text = wrap(caption.partition(" ")[2], _LETTERS)[:_LINES]
        pen.multiline_text((4, top), "\n".join([f"{task}:", *text]), _INK, font)
        for column, kind in enumerate(KINDS):
            if kind in drawn:
                left = _TEXT_WIDTH + 2 * column * (_CELL + _GAP)
                _paste(sheet, drawn[kind].drawing, (left, top))
                _paste(sheet, drawn[kind].true, (left + _CELL + _GAP, top))
                words, ink = _verdict(drawn[kind].is_right)
                pen.text((left, top + _CELL + 1), words, ink, font)
    return sheet


def _paste(sheet: Image.Image, pixels: Pixels, place: tuple[int, int]) -> None:
    cell = Image.fromarray(pixels).resize((_CELL, _CELL), Image.Resampling.NEAREST)
    sheet.paste(cell, place)


def _verdict(is_right: bool | None) -> tuple[str, tuple[int, int, int]]:
    if is_right is None:
        return "not scored", _INK
    return ("shows it", _RIGHT) if is_right else ("does not show it", _WRONG)
