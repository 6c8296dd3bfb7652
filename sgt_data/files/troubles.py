"""How often requests to stores failed and were made again, by the kind of trouble, in this process.

What comes after the first failure of a request is seen here by `retries`. The client of S3 tries
again by itself as well, unseen; it is asked to tell.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

NO_ANSWER, BROKEN, SHORT = "no answer in time", "connection broke", "answer too short"
"""Kinds of trouble; the others are the HTTP status that the store answered."""

_counts: Counter[str] = Counter()
_lock = threading.Lock()

_S3_EVENT, _OURS = "needs-retry.s3", "sgt-data"


def note_trouble(kind: str) -> None:
    """Count a request that failed and is made again."""
    with _lock:
        _counts[kind] += 1


def take_troubles() -> dict[str, int]:
    """The counts since they were last taken, by kind."""
    with _lock:
        taken = dict(_counts)
        _counts.clear()
    return taken


def added_troubles(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Counts of several processes as one."""
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(total)


def troubles_text(counts: Mapping[str, int]) -> str:
    """Counts in words, the most frequent first; empty where there are none."""
    if not counts:
        return ""
    total = sum(counts.values())
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    kinds = ", ".join(f"{kind}: {count:,}" for kind, count in ordered)
    requests = "1 request to a store was" if total == 1 else f"{total:,} requests to stores were"
    return f"{requests} made again ({kinds})"


def ask_to_tell(filesystem: Any) -> None:
    """Count what a file system's client repeats unseen, where it is one of S3.

    A client exists from the first request on.
    """
    client = getattr(filesystem, "_s3", None)
    events = getattr(getattr(client, "meta", None), "events", None)
    if events is not None:  # a second registration under one name counts nothing twice
        events.register(_S3_EVENT, _note_answer, unique_id=_OURS)


def _note_answer(
    response: Any = None, caught_exception: BaseException | None = None, **_: Any
) -> None:
    """What botocore calls after every request, before it decides whether to repeat it."""
    if caught_exception is not None:
        is_slow = "Timeout" in type(caught_exception).__name__
        note_trouble(NO_ANSWER if is_slow else BROKEN)
    elif response is not None and (status := response[0].status_code) >= 500:
        note_trouble(str(status))
