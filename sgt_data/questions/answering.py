"""Which proxies of a corpus say what is in its pictures, and so which tasks can be answered."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sgt_data.errors import RequestError
from sgt_data.questions.tasks import TASKS, Task

_VARIANTS = ("instance", "panoptic", "semantic")
"""Those whose segments have categories, the best to ask about first."""


@dataclass(frozen=True, slots=True)
class Answering:
    """What is asked of a corpus.

    Attributes:
        proxy: a segmentation proxy with categories.
        depth: a depth proxy, or None where nothing is asked about depth.
        tasks: those that are wanted and can be answered.
        unanswered: the other tasks that are wanted, and why.
    """

    proxy: str
    depth: str | None
    tasks: tuple[Task, ...]
    unanswered: Mapping[str, str]


def answering(
    proxies: Sequence[Mapping[str, Any]], proxy: str | None, tasks: Collection[str] | None
) -> Answering:
    """Choose what to ask.

    Args:
        proxies: of the corpus' manifest.
        proxy: a segmentation proxy with categories; by default the first of variant instance, or
            else panoptic, or else semantic. (Of depth proxies the first is taken.)
        tasks: by default all.

    Raises:
        RequestError: there is no such proxy or task, or a task that is named cannot be answered.
    """
    for task in tasks or ():
        if task not in TASKS:
            raise RequestError(f"tasks: found {task!r}; allowed: {', '.join(TASKS)}")
    variants = {one["name"]: one["variant"] for one in proxies if one["type"] == "segmentation"}
    fitting = [name for wanted in _VARIANTS for name in variants if variants[name] == wanted]
    if not fitting or proxy not in (None, *fitting):
        raise RequestError(
            f"proxy: found {proxy or ', '.join(one['name'] for one in proxies)}; questions need "
            f"categories, from a segmentation proxy of variant {', '.join(_VARIANTS)}"
            + (f"; this corpus has {', '.join(fitting)}" if fitting else "")
        )
    chosen = proxy or fitting[0]
    depth = next((one["name"] for one in proxies if one["type"] == "depth"), None)
    unanswered: dict[str, str] = {}
    if depth is None:
        unanswered["nearer"] = "there is no depth proxy"
    if variants[chosen] == "semantic":
        merged = f"{chosen} does not tell individuals apart (variant semantic)"
        unanswered |= {task: merged for task in TASKS if task != "presence"}
    for task in tasks or ():
        if task in unanswered:
            raise RequestError(f"tasks: {task} cannot be answered: {unanswered[task]}")
    answered = tuple(task for task in TASKS if task not in unanswered and task in (tasks or TASKS))
    if tasks:
        unanswered = {}
    return Answering(chosen, depth if "nearer" in answered else None, answered, unanswered)
