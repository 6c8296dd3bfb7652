"""Where in own code an error was raised, in one line instead of a traceback."""

from __future__ import annotations

import inspect
import traceback
from pathlib import Path

from sgt_data.value_text import cut_text

_PACKAGE = str(Path(__file__).parents[1])


def file_of_class(kind: type) -> str | None:
    """The file that defines a class; None where it has none, as in a notebook."""
    try:
        return inspect.getfile(kind)
    except (OSError, TypeError):
        return None


def where_raised(why: BaseException, path: str | None = None) -> str:
    """File, line and text of an error.

    Args:
        why: the error.
        path: the file whose line is wanted; by default, or where it is not on the way, the last
            line outside of this package.
    """
    frames = [
        frame
        for frame in traceback.extract_tb(why.__traceback__)
        if not frame.filename.startswith(("<frozen", _PACKAGE))
    ]
    own = [frame for frame in frames if frame.filename == path]
    words = (
        f"{type(why).__name__}: {cut_text(' '.join(str(why).split()) or 'without a message', 400)}"
    )
    if not (own or frames):
        return f"{path}: {words}" if path else words
    frame = (own or frames)[-1]
    return f"{frame.filename}, line {frame.lineno}: {words}"
