"""The command that says what a machine or a cluster lacks: doctor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from sgt_data.cli.arguments import AsJson
from sgt_data.cli.output import command_text, print_messages, print_next, report_table, show
from sgt_data.cli.progress_bar import LOADING, ProgressBar
from sgt_data.errors import RequestError

if TYPE_CHECKING:
    from sgt_data.doctor.check import Check

_MARKS = {"good": "ok", "note": "note", "lacks": "LACKS"}


def doctor_command(
    manifest: Annotated[
        str | None,
        typer.Option(help="manifest to build: can every place of its sources be read?"),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(help="URL of a corpus to build: a small file is written and deleted there"),
    ] = None,
    address: Annotated[
        str | None, typer.Option(help="Ray cluster: host:port, ray://host:port or auto")
    ] = None,
    no_ray: Annotated[
        bool, typer.Option("--no-ray", help="do not start Ray, which takes about 5 seconds")
    ] = False,
    compile_code: Annotated[
        bool,
        typer.Option("--compile", help="first compile all that its first use compiles: 30 seconds"),
    ] = False,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="replace a field of the manifest"),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Say what this machine or a cluster lacks, and what to do. Exit code 1 where builds fail."""
    with ProgressBar("checks", phase=LOADING) as bar:
        from sgt_data.doctor.examine import examine
        from sgt_data.manifest.manifest import load_manifest

        if overrides and manifest is None:
            raise RequestError("--set replaces a field of a manifest; give --manifest too")
        loaded = None if manifest is None else load_manifest(manifest, overrides or ())
        examination = examine(
            output=output,
            manifest=loaded,
            address=address,
            start_ray=not no_ray,
            compile_code=compile_code,
            progress=bar,
        )
    document = {**asdict(examination), "sound": examination.sound}
    show(_table(examination.checks), document, as_json)
    print_messages(
        f"{check.subject}: {check.remedy}" for check in examination.checks if check.remedy
    )
    if examination.sound and manifest is not None:
        sets = [word for change in overrides or () for word in ("--set", change)]
        place = ["--output", output or "corpora/new"]
        clusters = [] if address is None else ["--address", address]
        print_next(command_text("build", manifest, *place, *sets, *clusters, "--dry-run"))
    elif examination.sound:
        print_next(command_text("sample", "demo/sources", "--images", 32))
    return 0 if examination.sound else 1


def _table(checks: Sequence[Check]) -> Table:
    table = report_table(("", "what", "check"), ())
    for check in checks:
        table.add_row(_MARKS[check.state], check.subject, check.text)
    return table
