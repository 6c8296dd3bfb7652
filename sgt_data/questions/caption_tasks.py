"""Of the captions of a file, those that are about some tasks; pure."""

from __future__ import annotations

from collections.abc import Collection

from sgt_data.errors import RequestError
from sgt_data.questions.read_captions import CaptionsOfPictures
from sgt_data.suggestions import not_among

OTHER_TASK = "it is of another task"
"""Why the others are left out."""


def only_tasks(read: CaptionsOfPictures, tasks: Collection[str]) -> CaptionsOfPictures:
    """The captions of some tasks; the others are counted as left out.

    Raises:
        RequestError: no caption has one of the tasks.
    """
    known = {caption.task for captions in read.by_name.values() for caption in captions}
    for task in tasks:
        if task not in known:
            raise RequestError(f"tasks: {not_among(task, sorted(known))}")
    chosen = CaptionsOfPictures(read.captions, left_out=read.left_out.copy())
    for name, captions in read.by_name.items():
        kept = [caption for caption in captions if caption.task in tasks]
        if kept:
            chosen.by_name[name] = kept
        if len(kept) < len(captions):
            chosen.left_out[OTHER_TASK] += len(captions) - len(kept)
    return chosen
