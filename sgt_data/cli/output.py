"""What all commands share: where results and notes go, and arguments that many take."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
import typer
from rich.console import Console

notes = Console(stderr=True, highlight=False, soft_wrap=True)
"""Everything that is no result."""

CorpusUrl = Annotated[str, typer.Argument(metavar="CORPUS", help="fsspec URL of a corpus")]
AsJson = Annotated[bool, typer.Option("--json", help="one machine-readable line at the end")]


def show(text: Any, document: Any, as_json: bool) -> None:
    """The result, for a person or for a program."""
    if as_json:
        print(orjson.dumps(document).decode())
    elif isinstance(text, str):
        print(text)
    else:
        Console(highlight=False).print(text)
