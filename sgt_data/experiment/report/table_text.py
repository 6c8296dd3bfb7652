"""Tables as CSV and as Markdown."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from sgt_data.experiment.measure.seed_means import SeedMean
from sgt_data.experiment.report.tables import SEEDS_COLUMN, Cell, Table


def to_csv(tables: Sequence[Table]) -> str:
    """All tables by arm in one CSV table; rows are joined, footers, signs and notes left out.

    A column of numbers becomes three: mean, standard error, number of seeds. Text that a
    spreadsheet would take for a formula gets an apostrophe in front.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    head = tables[0].columns.index(SEEDS_COLUMN) + 1
    columns = [*tables[0].columns[:head]]
    rows = [[*row[:head]] for row in tables[0].rows]
    for table in tables:
        columns += table.columns[head:]
        for row, cells in zip(rows, table.rows, strict=True):
            row += cells[head:]
    numeric = [
        any(isinstance(row[place], SeedMean) for row in rows) for place in range(len(columns))
    ]
    header: list[str] = []
    for name, is_number in zip(columns, numeric, strict=True):
        header += [name, f"{name}, s.e.", f"{name}, seeds"] if is_number else [name]
    writer.writerow(map(_without_formula, header))
    for row in rows:
        line: list[str] = []
        for cell, is_number in zip(row, numeric, strict=True):
            line += _number_cells(cell) if is_number else [_without_formula(cell_text(cell))]
        writer.writerow(line)
    return out.getvalue()


def to_markdown(tables: Sequence[Table]) -> str:
    """All tables in Markdown, each below its title."""
    parts = []
    for table in tables:
        lines = [
            f"## {markdown_text(table.title)}",
            "",
            _markdown_row(map(markdown_text, table.columns)),
            _markdown_row("---" if place < 2 else "---:" for place in range(len(table.columns))),
            *(
                _markdown_row(markdown_text(cell_text(cell)) for cell in row)
                for row in (*flagged_rows(table), *table.footers)
            ),
            *(line for note in table.notes for line in ("", markdown_text(note))),
        ]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def flagged_rows(table: Table) -> list[tuple[Cell, ...]]:
    """The rows of a table for people: the sign of a row stands after its first cell."""
    flags = table.flags or ("",) * len(table.rows)
    return [
        (f"{cell_text(row[0])} {flag}".rstrip(), *row[1:])
        for row, flag in zip(table.rows, flags, strict=True)
    ]


def cell_text(cell: Cell) -> str:
    """A cell for people: mean ± standard error; the mean alone for one seed, which has no error."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    if len(set(cell.values)) == 1 and cell.mean == int(cell.mean):
        return f"{int(cell.mean):,}"
    digits = 0 if abs(cell.mean) >= 100 else 1 if abs(cell.mean) >= 10 else 3
    text = f"{cell.mean:,.{digits}f}"
    return text if cell.error is None else f"{text} ± {cell.error:,.{digits}f}"


def markdown_text(text: str) -> str:
    """A text on one line that Markdown shows as it is."""
    text = " ".join(text.split())
    for sign in "\\`*_[]|~":
        text = text.replace(sign, f"\\{sign}")
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _number_cells(cell: Cell) -> list[str]:
    if not isinstance(cell, SeedMean):
        return ["", "", ""]
    error = "" if cell.error is None else f"{cell.error:.6g}"
    return [f"{cell.mean:.6g}", error, str(len(cell.values))]


def _without_formula(text: str) -> str:
    is_formula = text[:1] in ("=", "@", "\t", "\r") or _is_sum(text)
    return f"'{text}" if is_formula else text


def _is_sum(text: str) -> bool:
    """Whether a text starts with a sign, and is no number: `-2+cmd|...` is a formula, too."""
    if text[:1] not in ("+", "-"):
        return False
    try:
        float(text)
    except ValueError:
        return True
    return False


def _markdown_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
