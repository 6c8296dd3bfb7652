"""The commands that show what there is: proxies, sources, annotators, palettes, schema."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sgt_data.cli.arguments import AsJson, Plugins, use_listed_plugins
from sgt_data.cli.output import command_text, print_messages, print_next, report_table, show
from sgt_data.errors import RequestError
from sgt_data.value_text import counted

if TYPE_CHECKING:
    from rich.table import Table

    from sgt_data.reference.example_picture import Shown
    from sgt_data.reference.field_facts import FieldFacts
    from sgt_data.reference.kinds import KindFacts
    from sgt_data.reference.palette_facts import PaletteFacts
    from sgt_data.reference.registries import Family

Picture = Annotated[
    Path | None,
    typer.Option("-o", "--picture", help="draw an example of NAME to this PNG or JPEG file"),
]

_DOCS = "page of the docs:"
_WIDTH = 96  # of paragraphs, in letters

_COLUMNS: dict[str, tuple[str, ...]] = {
    "proxies": ("tier", "target", "drawn from", "annotators"),
    "sources": ("gives",),
    "annotators": ("fills in", "for proxies", "needs"),
}
"""By family, the facts that the table of its kinds shows."""


def _kinds(family: Family) -> Callable[[], list[str]]:
    """What completes a NAME of a family."""

    def complete() -> list[str]:
        from sgt_data.reference.registries import kinds_of

        return list(kinds_of(family))

    return complete


def _palettes() -> list[str]:
    from sgt_data.reference.palette_facts import PALETTES

    return list(PALETTES)


def proxies_command(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="a proxy", autocompletion=_kinds("proxies")),
    ] = None,
    picture: Picture = None,
    plugins: Plugins = None,
    as_json: AsJson = False,
) -> int:
    """Show proxies: what each draws, its fields and instructions."""
    return _show_kinds("proxies", name, picture, plugins, as_json)


def sources_command(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="a source", autocompletion=_kinds("sources")),
    ] = None,
    picture: Picture = None,
    plugins: Plugins = None,
    as_json: AsJson = False,
) -> int:
    """Show the sources: what each reads and gives, its fields."""
    return _show_kinds("sources", name, picture, plugins, as_json)


def annotators_command(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="an annotator", autocompletion=_kinds("annotators")),
    ] = None,
    picture: Picture = None,
    plugins: Plugins = None,
    as_json: AsJson = False,
) -> int:
    """Show the annotators: what each fills in, its fields."""
    return _show_kinds("annotators", name, picture, plugins, as_json)


def palettes_command(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="a palette", autocompletion=_palettes)
    ] = None,
    picture: Picture = None,
    as_json: AsJson = False,
) -> int:
    """Show the palettes of segmentation targets."""
    from sgt_data.reference.palette_facts import describe_palette, list_palettes

    _check_picture(name, picture)
    if name is None:
        palettes = list_palettes()
        table = report_table(("palette", "colours", "variants"), ())
        for facts in palettes:
            table.add_row(facts.name, facts.summary, ", ".join(facts.variants))
        show(table, {"palettes": [asdict(facts) for facts in palettes]}, as_json)
        print_next("sgt-data palettes category --picture category.png")
        return 0
    facts = describe_palette(name)
    document = asdict(facts) | _draw("palettes", name, picture)
    show(_palette_text(facts, picture), document, as_json)
    print_next(_next_of("palettes", facts.name, picture))
    return 0


def schema_command(
    of: Annotated[
        str, typer.Option("--of", metavar="KIND", help="kind of file: manifest, plan or train")
    ] = "manifest",
    file: Annotated[
        Path | None, typer.Option("-o", "--output", help="JSON file to write; default: print it")
    ] = None,
    plugins: Plugins = None,
    as_json: AsJson = False,
) -> int:
    """Show the JSON Schema of a manifest, a plan or a configuration.

    An editor checks and completes a manifest whose first line names the file:
    `# yaml-language-server: $schema=manifest.schema.json`. Kinds of installed plug-ins and of
    those of --plugins are part of the schema.
    """
    from sgt_data.files.output_place import check_file_place
    from sgt_data.files.writing import write_atomic
    from sgt_data.reference.json_schemas import SCHEMAS, schema_text
    from sgt_data.suggestions import not_among

    if of not in SCHEMAS:
        raise RequestError(f"--of: {not_among(of, SCHEMAS)}")
    if file is not None:
        check_file_place(file)
    own = use_listed_plugins(plugins)
    schema = SCHEMAS[of]()
    if file is None:
        show(schema_text(schema).rstrip("\n"), schema, as_json)
        print_next(command_text("schema", "--of", of, *own, "-o", f"{of}.schema.json"))
        return 0
    write_atomic(str(file.absolute()), schema_text(schema).encode())
    line = f"# yaml-language-server: $schema={file.name}"
    show(f"{file}\n{line}", {"file": str(file), "line": line}, as_json)
    print_next("sgt-data proxies")
    return 0


def _show_kinds(
    family: Family,
    name: str | None,
    picture: Path | None,
    plugins: Sequence[str] | None,
    as_json: bool,
) -> int:
    from sgt_data.reference.kinds import describe_kind, list_kinds
    from sgt_data.reference.registries import broken_kinds

    own = use_listed_plugins(plugins)
    _check_picture(name, picture)
    if name is None:
        kinds, broken = list_kinds(family), broken_kinds(family)
        document = {family: [_document(facts) for facts in kinds], "broken": broken}
        show(_kinds_table(family, kinds, broken), document, as_json)
        print_messages(f"{each}: cannot be used: {problem}" for each, problem in broken.items())
        print_next(command_text(family, kinds[0].type, *own))
        return 0
    facts = describe_kind(family, name)
    document = _document(facts) | _draw(family, facts.type, picture)
    show(_kind_text(facts, picture), document, as_json)
    print_next(_next_of(family, facts.type, picture, *own))
    return 0


def _check_picture(name: str | None, picture: Path | None) -> None:
    from sgt_data.preview.sheet_file import check_sheet_file

    if picture is not None:
        if name is None:
            raise RequestError("--picture draws one of them; give its NAME")
        check_sheet_file(picture)


def _draw(shown: Shown, name: str, picture: Path | None) -> dict[str, Any]:
    """Draw an example where a file is named; returns what the result says of it."""
    if picture is None:
        return {}
    from sgt_data.preview.sheet_file import write_sheet
    from sgt_data.reference.example_picture import example_picture

    card = example_picture(shown, name)
    write_sheet(card, picture)
    return {"picture": {"file": str(picture), "width": card.width, "height": card.height}}


def _next_of(shown: str, name: str, picture: Path | None, *own: str) -> str:
    if picture is None:
        return command_text(shown, name, *own, "--picture", f"{name}.png")
    return command_text("schema", *own, "-o", "manifest.schema.json")


def _document(facts: KindFacts) -> dict[str, Any]:
    return {**asdict(facts), "entries": list(facts.entries)}


def _kinds_table(family: Family, kinds: Iterable[KindFacts], broken: Iterable[str]) -> Table:
    columns = _COLUMNS[family]
    last = () if family == "proxies" else ("what it is",)
    table = report_table(("type", *columns, *last), ())
    for facts in kinds:
        cells = [facts.facts.get(column, "") for column in columns]
        table.add_row(facts.type, *cells, *([facts.summary] if last else []))
    for name in broken:
        table.add_row(name, "cannot be used")
    return table


def _kind_text(facts: KindFacts, picture: Path | None) -> str:
    own = [field for field in facts.fields if not field.of_base]
    common = [field for field in facts.fields if field.of_base]
    summary = f"{facts.type}: {facts.summary}"
    blocks = [
        [line for text in (summary, facts.text) for line in _wrapped(text, 0)],
        [line for name, fact in facts.facts.items() for line in _wrapped(f"{name}: {fact}", 0)],
        ["in a manifest:", f"  {facts.family}:", *(f"    - {entry}" for entry in facts.entries)],
        [f"fields of {facts.type}:", *_field_lines(own)] if own else [],
        [f"fields of all {facts.family}:", *_field_lines(common)],
        *(
            [
                f"instructions {bank.name}: {counted(bank.train, 'line')}, {bank.held_out} held "
                "out",
                *(f"  {line}" for line in bank.lines),
            ]
            for bank in facts.banks
        ),
        [f"{_DOCS} {facts.family.title()} field by field, {facts.type}"]
        if facts.docs
        else [f"package: {facts.package}"],
        [f"picture: {picture}"] if picture else [],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _field_lines(fields: Iterable[FieldFacts]) -> list[str]:
    lines = []
    for field in fields:
        state = "must be given" if field.required else f"default {field.default_text}"
        lines += _wrapped(f"{field.name}: {field.allowed}; {state}", 2)
        lines += _wrapped(field.meaning, 6)
    return lines


def _wrapped(text: str, indent: int) -> list[str]:
    """A paragraph in lines that a terminal shows whole, the first one less deep."""
    return wrap(
        text, _WIDTH, initial_indent=" " * indent, subsequent_indent=" " * max(indent, 4),
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def _palette_text(facts: PaletteFacts, picture: Path | None) -> str:
    most = "any number" if facts.segments_max is None else f"at most {facts.segments_max:,}"
    lines = [
        f"{facts.name}: {facts.summary}",
        f"variants: {', '.join(facts.variants)}",
        f"visible segments of a picture: {most}",
        f"in a manifest: {facts.entry}",
        f"{_DOCS} Palettes",
    ]
    return "\n".join(lines + ([f"picture: {picture}"] if picture else []))
