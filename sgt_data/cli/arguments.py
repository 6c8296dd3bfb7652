"""Arguments and options that several commands take."""

from __future__ import annotations

from typing import Annotated

import typer

CorpusUrl = Annotated[str, typer.Argument(metavar="CORPUS", help="fsspec URL of a corpus")]
AsJson = Annotated[bool, typer.Option("--json", help="print the result as one line of JSON")]
RayAddress = Annotated[
    str | None, typer.Option(help="address of a Ray cluster; default: Ray on this machine")
]
RayWorkers = Annotated[
    int | None,
    typer.Option(help="CPUs to use on this machine; 0 works in this process, without Ray"),
]
