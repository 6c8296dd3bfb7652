"""What Ray says of nodes and workers that died: counted, where Ray would print it line by line.

Ray's driver prints such messages to standard output, which is for results.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ray._private import worker

from sgt_data.engine.replaced import replaced
from sgt_data.value_text import counted


class RayMessages:
    """Messages of Ray in the length of a session, by what they are about."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def take(self, message: Mapping[str, Any], *_: Any, **__: Any) -> None:
        """In place of Ray's printing.

        Args:
            message: `lines`, as Ray prints them.
        """
        for line in message.get("lines", ()):
            if "marked dead" in line:
                self._counts["nodes"] += 1
            elif "retried" in line:
                self._counts["attempts"] += 1

    def notes(self) -> list[str]:
        """What a person should know of it: one sentence for each kind, with counts."""
        notes = []
        if nodes := self._counts["nodes"]:
            lost = counted(nodes, "node")
            notes.append(f"{lost} of the cluster died; what was not committed was made on others")
        if attempts := self._counts["attempts"]:
            tries = counted(attempts, "attempt")
            notes.append(f"{tries} ended with a worker that died, and were made again")
        return notes


@contextmanager
def messages_counted() -> Iterator[RayMessages]:
    """In the block, Ray counts its messages and prints none.

    A version of Ray that has another name for its printing prints as it does by itself.
    """
    messages = RayMessages()
    changes: tuple[tuple[Any, str, Any], ...] = ((worker, "print_to_stdstream", messages.take),)
    with replaced(changes):
        yield messages
