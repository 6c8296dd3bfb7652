"""Say why a file of weights cannot be read, by what the file begins with."""

from __future__ import annotations

from pathlib import Path

from sgt_data.files.file_signs import lfs_note
from sgt_data.foreign_errors import in_words
from sgt_data.value_text import cut_text

_BEGINNING_BYTES = 512


def beginning_problem(path: str) -> str | None:
    """Why a file cannot be weights, by its first bytes; None where they say nothing.

    Args:
        path: of a local file.
    """
    with Path(path).open("rb") as file:
        beginning = file.read(_BEGINNING_BYTES).lstrip()
    if not beginning:
        return "the file is empty"
    if note := lfs_note(beginning):
        return note.removeprefix("; ")
    if beginning[:1] == b"<":
        return "the file is an HTML or XML page, not the weights; fetch it again"
    return None


def why_not_tensors(path: str, why: Exception) -> str:
    """What is wrong with a local file of weights, in words; torch's own advice is left out.

    Args:
        path: of the file.
        why: what torch raised when it read the file, or a model when it took the tensors.
    """
    if problem := beginning_problem(path):
        return problem
    if type(why).__name__ == "UnpicklingError":  # no module here imports that module
        return "the file holds other things than tensors, which could run code, or is damaged"
    return f"{cut_text(in_words(why), 300)}"
