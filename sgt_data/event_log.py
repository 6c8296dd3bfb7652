"""Events of long work, for programs: by Python's `logging`, under the name `sgt_data`.

Nobody hears them by default, and then they cost nothing: `logging.getLogger("sgt_data").setLevel(
"INFO")`, with a handler, turns them on. `JsonLines` is the handler behind `--log-json`.
"""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

import orjson

from sgt_data.foreign_errors import in_words
from sgt_data.redaction import redacted, shown_text

Event = Literal[
    "started", "phase", "progress", "shard_committed", "input_quarantined", "part_failed",
    "retried", "message", "result", "finished",
]  # fmt: skip

LOGGER = logging.getLogger("sgt_data")
LOGGER.addHandler(logging.NullHandler())  # else Python prints warnings that nobody asked for

_FIELDS = "sgt_data_fields"


def is_heard() -> bool:
    """Whether anybody asked for events: what must be looked up for them alone is left out else."""
    return LOGGER.isEnabledFor(logging.INFO)


def tell(event: Event, message: str, level: int = logging.INFO, **fields: Any) -> None:
    """Tell an event to whoever hears it.

    Args:
        event: what happened.
        message: the same in words, for people.
        level: of `logging`.
        fields: further facts, of values that JSON has; those that are None are left out.
    """
    if is_heard():
        stated = {name: value for name, value in fields.items() if value is not None}
        extra = {_FIELDS: {"event": event, **stated}}
        LOGGER.log(level, "%s", shown_text(message), extra=extra)


class JsonLines(logging.Handler):
    """Writes an event a line, as JSON, without the secrets of URLs."""

    def __init__(self, stream: TextIO, command: str) -> None:
        """
        Args:
            stream: where the lines go; it is not closed.
            command: that the events belong to.
        """
        super().__init__(logging.INFO)
        self._stream, self._command, self._is_refused = stream, command, False

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line of a record."""
        if self._is_refused:
            return
        fields = getattr(record, _FIELDS, {"event": "message"})
        document = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "command": self._command,
            "message": record.getMessage(),
            **redacted(fields),
        }
        try:
            line = orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY, default=str).decode()
            self._stream.write(f"{line}\n")
            self._stream.flush()
        except OSError as why:  # the work itself is worth more than its log
            self._is_refused = True
            print(
                f"note: the log cannot be written any more: {in_words(why)}; the work goes on",
                file=sys.stderr,
            )
