"""Which tasks a corpus can answer, and which of its proxies give the answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sgt_data.errors import RequestError
from sgt_data.questions.question_tasks import TASKS, Task
from sgt_data.suggestions import did_you_mean, not_among

_VARIANTS = ("instance", "panoptic", "semantic")
"""Variants whose segments have categories, the best for questions first."""


@dataclass(frozen=True, slots=True)
class AnswerableTasks:
    """The tasks that are asked about a corpus, and the proxies that answer them.

    Attributes:
        proxy: name of a segmentation proxy with categories.
        depth: name of a depth proxy; None where no task needs it.
        tasks: requested tasks that can be answered.
        unanswered: by task, why a requested task cannot be answered.
    """

    proxy: str
    depth: str | None
    tasks: tuple[Task, ...]
    unanswered: Mapping[str, str]


def answerable_tasks(
    proxies: Sequence[Mapping[str, Any]], proxy: str | None, tasks: Collection[str] | None
) -> AnswerableTasks:
    """Choose the tasks that can be answered, and the proxies that answer them.

    Args:
        proxies: proxies of the manifest of the corpus.
        proxy: name of a segmentation proxy with categories; by default the first of variant
            instance, or else panoptic, or else semantic. (The first depth proxy is taken.)
        tasks: requested tasks; None for all.

    Raises:
        RequestError: there is no such proxy or task, or a task that is named cannot be answered.
    """
    for task in tasks or ():
        if task not in TASKS:
            raise RequestError(f"tasks: {not_among(task, TASKS)}")
    chosen, variant = _segmentation_proxy(proxies, proxy)
    depth = next((entry["name"] for entry in proxies if entry["type"] == "depth"), None)
    unanswered: dict[str, str] = {}
    if depth is None:
        unanswered["nearer"] = "there is no depth proxy"
    if variant == "semantic":
        merged = f"{chosen} does not tell individuals apart (variant semantic)"
        unanswered |= {task: merged for task in TASKS if task != "presence"}
    for task in tasks or ():
        if task in unanswered:
            raise RequestError(f"tasks: {task} cannot be answered: {unanswered[task]}")
    answered = tuple(task for task in TASKS if task not in unanswered and task in (tasks or TASKS))
    if tasks:
        unanswered = {}
    return AnswerableTasks(chosen, depth if "nearer" in answered else None, answered, unanswered)


def _segmentation_proxy(proxies: Sequence[Mapping[str, Any]], proxy: str | None) -> tuple[str, str]:
    """Name and variant of the proxy whose segments are asked about."""
    variants = {
        entry["name"]: entry["variant"] for entry in proxies if entry["type"] == "segmentation"
    }
    fitting = [name for variant in _VARIANTS for name in variants if variants[name] == variant]
    if not fitting or proxy not in (None, *fitting):
        raise RequestError(
            f"proxy: found {proxy or ', '.join(entry['name'] for entry in proxies)}; questions "
            f"need categories, from a segmentation proxy of variant {', '.join(_VARIANTS)}"
            + (f"; this corpus has {', '.join(fitting)}" if fitting else "")
            + did_you_mean(proxy, fitting)
        )
    chosen = proxy or fitting[0]
    return chosen, variants[chosen]
