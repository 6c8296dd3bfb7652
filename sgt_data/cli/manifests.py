"""The commands for the manifests that come with the package: manifests, init."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from sgt_data.cli.arguments import AsJson
from sgt_data.cli.output import print_messages, print_next, report_table, show
from sgt_data.errors import RequestError


def manifests_command(
    asked: Annotated[
        str | None, typer.Argument(metavar="NAME", help="print this manifest", show_default=False)
    ] = None,
    shown: Annotated[
        str | None, typer.Option("--show", metavar="NAME", help="the same as NAME alone")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Show the manifests that come with the package. `build` takes them by name.

    Examples: `sgt-data manifests`, `sgt-data manifests coco-panoptic`
    """
    from sgt_data.extras import install_hint
    from sgt_data.shipped_manifests import (
        extras_of,
        shipped_manifest,
        shipped_manifests,
        summary,
    )

    if asked and shown and asked != shown:
        raise RequestError(f"found NAME {asked!r} and --show {shown!r}; give one of them")
    name = asked or shown
    if name is not None:
        text = shipped_manifest(name)
        show(text.rstrip("\n"), {"name": name, "text": text}, as_json)
        print_next(f"sgt-data init {name}")
        return 0
    manifests = shipped_manifests()
    table = report_table(("name", "what it builds", "needs"), ())
    for each, text in manifests.items():
        table.add_row(each, summary(text), ", ".join(f"[{name}]" for name in extras_of(text)))
    document = [
        {"name": each, "summary": summary(text), "extras": extras_of(text)}
        for each, text in manifests.items()
    ]
    needed = dict.fromkeys(extra for text in manifests.values() for extra in extras_of(text))
    print_messages(f"[{extra}] is an extra: {install_hint(extra)}" for extra in needed)
    show(table, {"manifests": document}, as_json)
    print_next("sgt-data manifests coco-panoptic", "sgt-data init coco-panoptic")
    return 0


def init_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="one of `sgt-data manifests`")],
    file: Annotated[
        Path | None, typer.Option("-o", "--output", help="file to write; default: NAME.yaml")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Copy a manifest that comes with the package, to edit it.

    Relative paths in the copy lie in the copy's folder. Example: `sgt-data init coco-panoptic`
    """
    from sgt_data.files.output_place import check_file_place
    from sgt_data.shipped_manifests import copy_manifest

    if file is not None:
        check_file_place(file)
    written = copy_manifest(name, file)
    show(str(written), {"file": str(written)}, as_json)
    print_messages(["Say in it where your pictures lie, and what you want drawn."])
    print_next(f"sgt-data build {quote(str(written))} --output corpora/{name}")
    return 0
