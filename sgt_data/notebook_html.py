"""HTML for notebooks: tables, and stored pictures in line. All texts are escaped."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterable, Sequence

from PIL import Image

_WIDTH_MAX = 320  # pixels
_PIXELS_MAX = 1 << 27
_CELL = "text-align:left;vertical-align:top;padding:2px 12px 2px 0"
_NUMBER = "text-align:right;vertical-align:top;padding:2px 12px 2px 0"
_FIGURE = "display:inline-block;vertical-align:top;margin:4px 12px 4px 0;max-width:320px"


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table. Whole numbers stand at the right, with commas between thousands.

    Args:
        header: names of the columns.
        rows: a value for each column.
    """
    head = "".join(f'<th style="{_CELL}">{html.escape(name)}</th>' for name in header)
    lines = [f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows]
    return f"<table><tr>{head}</tr>{''.join(lines)}</table>"


def heading(title: str, remark: str = "") -> str:
    """A line with a title in bold letters, and a remark."""
    return f"<div><b>{html.escape(title)}</b> {html.escape(remark)}</div>"


def figure(picture: bytes, caption: str) -> str:
    """A stored JPEG or PNG with a caption below; the caption alone where it cannot be decoded.

    The picture is at most 320 pixels wide. PNGs are label maps and alike: they are shrunk without
    mixing their colours.
    """
    try:
        source = _data_url(picture)
    except (OSError, ValueError, Image.DecompressionBombError):
        return f'<div style="{_FIGURE}">{html.escape(caption)}: no picture</div>'
    return (
        f'<div style="{_FIGURE}"><img src="{source}" style="max-width:100%">'
        f"<div>{html.escape(caption)}</div></div>"
    )


def _cell(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f'<td style="{_NUMBER}">{value:,}</td>'
    return f'<td style="{_CELL}">{html.escape(str(value))}</td>'


def _data_url(picture: bytes) -> str:
    with Image.open(io.BytesIO(picture), formats=["JPEG", "PNG"]) as image:
        if image.width * image.height > _PIXELS_MAX:
            raise ValueError(f"{image.width}x{image.height} pixels")
        form = str(image.format)
        if image.width > _WIDTH_MAX:
            size = _WIDTH_MAX, max(1, round(image.height * _WIDTH_MAX / image.width))
            exact = form == "PNG"
            resampling = Image.Resampling.NEAREST if exact else Image.Resampling.LANCZOS
            out = io.BytesIO()
            image.resize(size, resampling).save(out, form)
            picture = out.getvalue()
    return f"data:image/{form.lower()};base64,{base64.b64encode(picture).decode()}"
