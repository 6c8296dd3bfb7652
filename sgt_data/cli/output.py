"""What all commands share: where results and messages are printed, tables, sizes."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from sgt_data.errors import StorageError
from sgt_data.event_log import tell
from sgt_data.foreign_errors import in_words
from sgt_data.progress_text import size_text as size_text
from sgt_data.redaction import redacted, shown_text

messages = Console(stderr=True, highlight=False, soft_wrap=True)
"""Standard error: everything that is not the result of a command."""


def print_messages(lines: Iterable[str]) -> None:
    """Print lines to standard error, each as it is but for secrets."""
    for line in lines:
        tell("message", line)
        messages.print(shown_text(line), markup=False)


def print_next(*commands: str) -> None:
    """Print to standard error what a person may do after this command, a command per line.

    Args:
        commands: whole commands that work as printed, such as `sgt-data view demo/corpus`.
    """
    print_messages(f"next: {command}" for command in commands)


def command_text(*words: str | int | float | None) -> str:
    """A command of `sgt-data` that a shell takes as it stands; words that are None are left out."""
    return shlex.join(["sgt-data", *(str(word) for word in words if word is not None)])


def show(text: str | Table, document: Any, as_json: bool) -> None:
    """Print the result of a command to standard output.

    Args:
        text: the result for a person.
        document: the result for a program, of values that JSON has; None where the text belongs
            to a result that was shown before.
        as_json: print `document` as one line of JSON instead of `text`.

    Raises:
        StorageError: standard output takes no more, as on a full disk.
    """
    if document is not None:
        tell("result", "the result, as --json prints it", result=document)
    try:
        if as_json:
            print(orjson.dumps(redacted(document)).decode())
        elif isinstance(text, str):
            print(shown_text(text))
        else:
            text.title, text.caption = _shown(text.title), _shown(text.caption)
            _Results(highlight=False, markup=False).print(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as why:
        raise StorageError(
            f"the result cannot be written to standard output: {in_words(why)}"
        ) from why


class _Results(Console):
    """Standard output. Where its reader is gone, the command ends as it does after other prints."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def _shown(text: Any) -> Any:
    return shown_text(text) if isinstance(text, str) else text


class _Table(Table):
    """A table whose cells lose the secrets of URLs before they are folded into columns."""

    def add_row(self, *cells: Any, **options: Any) -> None:
        super().add_row(*map(_shown, cells), **options)


def report_table(text_columns: Iterable[str], number_columns: Iterable[str]) -> Table:
    """An empty table: columns of text, aligned left, then columns of numbers, aligned right."""
    table = _Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for name in text_columns:
        table.add_column(name, justify="left", overflow="fold")
    for name in number_columns:
        table.add_column(name, justify="right", overflow="fold")
    return table
