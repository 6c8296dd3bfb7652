"""Results as tables: one row for the seeds of an arm at a place of the axis."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sgt_data.errors import CorpusError
from sgt_data.experiment.measure.intervals import SeedMean
from sgt_data.experiment.measure.results import RunResult
from sgt_data.experiment.report.series import (
    Group,
    Measure,
    Place,
    accuracy_measures,
    against,
    chances,
    groups_of,
    layout_measures,
    mean_accuracy_of,
    place_text,
    probe_measures,
)

Cell = SeedMean | str | None
_SEEDS = "seeds"


@dataclass(frozen=True, slots=True)
class Table:
    """Named columns and rows of cells: a number over seeds, a text, or nothing.

    Attributes:
        title: of the table.
        columns: the first ones say which arm, where on the axis, if there is one, and how many
            seeds.
        rows: one for each arm and place, the same ones in all tables of an experiment.
        footers: rows that are no arm, such as what guessing scores.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    footers: tuple[tuple[Cell, ...], ...] = ()


def tables_of(
    results: Sequence[RunResult], axis: str, baseline: tuple[str, Place] | None = None
) -> list[Table]:
    """Accuracy, differences to a baseline, probes, layout, and what training took.

    Args:
        results: of all runs.
        axis: what x is, such as `pictures`.
        baseline: arm and x with which the others are compared.

    Raises:
        CorpusError: the runs do not belong together; or no run is of the baseline.
    """
    groups = groups_of(results)
    found = [
        _accuracies(groups, axis, results),
        *([] if baseline is None else [_differences(groups, axis, baseline)]),
        _probes(groups, axis, results),
        _table("Layout of generated targets", groups, axis, layout_measures(results)),
        _training(groups, axis),
    ]  # fmt: skip
    found = [one for one in found if len(one.columns) > 3]
    return [_without_axis(one) for one in found] if all(one.x is None for one in groups) else found


def _without_axis(table: Table) -> Table:
    def cut(row: tuple[Cell, ...]) -> tuple[Cell, ...]:
        return (row[0], *row[2:])

    columns = (table.columns[0], *table.columns[2:])
    return Table(table.title, columns, tuple(map(cut, table.rows)), tuple(map(cut, table.footers)))


def to_csv(tables: Sequence[Table]) -> str:
    """All tables side by side: a number gives three columns, its mean, standard error and seeds.
    Footers are left out.

    Text that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    head = tables[0].columns.index(_SEEDS) + 1
    columns = [tables[0].columns[:head], *(one.columns[head:] for one in tables)]
    rows = [
        (first[:head], *(one.rows[place][head:] for one in tables))
        for place, first in enumerate(tables[0].rows)
    ]
    numeric = [
        [any(isinstance(row[part][place], SeedMean) for row in rows) for place in range(len(names))]
        for part, names in enumerate(columns)
    ]
    header: list[str] = []
    for names, wide in zip(columns, numeric, strict=True):
        for name, is_number in zip(names, wide, strict=True):
            header += [name, f"{name}, s.e.", f"{name}, seeds"] if is_number else [name]
    writer.writerow(map(_plain, header))
    for row in rows:
        line: list[str] = []
        for cells, wide in zip(row, numeric, strict=True):
            for cell, is_number in zip(cells, wide, strict=True):
                line += _numbers(cell) if is_number else [_plain(cell_text(cell))]
        writer.writerow(line)
    return out.getvalue()


def to_markdown(tables: Sequence[Table]) -> str:
    """One table after the other, each with its title."""
    parts = []
    for table in tables:
        lines = [
            f"## {markdown_text(table.title)}",
            "",
            _line(map(markdown_text, table.columns)),
            _line("---" if place < 2 else "---:" for place in range(len(table.columns))),
            *(
                _line(markdown_text(cell_text(cell)) for cell in row)
                for row in (*table.rows, *table.footers)
            ),
        ]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def cell_text(cell: Cell) -> str:
    """As people read it: mean ± standard error; one seed has no error, and none is made up."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    if len(set(cell.values)) == 1 and cell.mean == int(cell.mean):
        return f"{int(cell.mean):,}"
    digits = 0 if abs(cell.mean) >= 100 else 1 if abs(cell.mean) >= 10 else 3
    text = f"{cell.mean:,.{digits}f}"
    return text if cell.error is None else f"{text} ± {cell.error:,.{digits}f}"


def _table(title: str, groups: Sequence[Group], axis: str, measures: dict[str, Measure]) -> Table:
    rows = (
        (*_head(group), *(group.over_seeds(measure) for measure in measures.values()))
        for group in groups
    )
    return Table(title, ("arm", axis, _SEEDS, *measures), tuple(rows))


def _accuracies(groups: Sequence[Group], axis: str, results: Sequence[RunResult]) -> Table:
    tasks = accuracy_measures(results)
    table = _table("Accuracy", groups, axis, {"mean of tasks": mean_accuracy_of, **tasks})
    best = {task: results[0].accuracy[task].commonest for task in tasks}
    constant = {**best, "mean": sum(best.values()) / len(best)}
    columns = ["mean", *tasks]
    footers = (
        _footer("guessing", chances(results), columns),
        _footer("the best constant answer", constant, columns),
    )
    return replace(table, footers=footers)


def _probes(groups: Sequence[Group], axis: str, results: Sequence[RunResult]) -> Table:
    probes = probe_measures(results)
    table = _table("Linear probes", groups, axis, probes)
    footer = _footer("the commonest class", chances(results), [f"probe {name}" for name in probes])
    return replace(table, footers=(footer,))


def _footer(name: str, levels: Mapping[str, float], columns: Sequence[str]) -> tuple[Cell, ...]:
    return (name, "", "", *(f"{levels[column]:.3f}" for column in columns))


def _head(group: Group) -> tuple[Cell, ...]:
    return group.arm, place_text(group.x), str(len(group.runs))


def _differences(groups: Sequence[Group], axis: str, baseline: tuple[str, Place]) -> Table:
    base = next((one for one in groups if (one.arm, one.x) == baseline), None)
    if base is None:
        raise CorpusError(f"no run is of the baseline {baseline[0]!r:.80} at {baseline[1]}")
    rows: list[tuple[Cell, ...]] = []
    for group in groups:
        found = None if group is base else against(group, base)
        if found is None:
            rows.append((*_head(group), "baseline" if group is base else "", "", ""))
            continue
        interval = "" if found.low is None else f"{found.low:+.3f} to {found.high:+.3f}"
        rows.append((*_head(group), f"{found.value:+.3f}", interval, str(found.seeds)))
    name = f"difference to {base.label}"
    return Table("Differences in mean accuracy", ("arm", axis, _SEEDS, name, "95 % interval",
                 "seeds in common"), tuple(rows))  # fmt: skip


def _training(groups: Sequence[Group], axis: str) -> Table:
    measures: dict[str, Measure] = {
        "training accuracy": lambda run: run.training_accuracy,
        "lift-off step": lambda run: run.lift_off,
        "questions seen": lambda run: run.samples.questions,
        "drawings seen": lambda run: run.samples.drawings,
        "distinct pictures": lambda run: run.samples.pictures,
        "seconds": lambda run: run.seconds,
    }
    table = _table("Training", groups, axis, measures)
    place = table.columns.index("lift-off step")
    rows = (
        (*row[:place], f"{sum(run.lift_off is not None for run in group.runs)} of "
         f"{len(group.runs)}", *row[place:])
        for group, row in zip(groups, table.rows, strict=True)
    )  # fmt: skip
    columns = (*table.columns[:place], "lifted off", *table.columns[place:])
    return Table(table.title, columns, tuple(rows))


def _numbers(cell: Cell) -> list[str]:
    if not isinstance(cell, SeedMean):
        return ["", "", ""]
    error = "" if cell.error is None else f"{cell.error:.6g}"
    return [f"{cell.mean:.6g}", error, str(len(cell.values))]


def _plain(text: str) -> str:
    return f"'{text}" if text[:1] in ("=", "@", "\t", "\r") or _looks_like_sum(text) else text


def _looks_like_sum(text: str) -> bool:
    """A sign that starts no number."""
    return text[:1] in ("+", "-") and not text[1:2].isdigit()


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def markdown_text(text: str) -> str:
    """A text that Markdown shows as it is, on one line."""
    text = " ".join(text.split())
    for sign in "\\`*_[]|~":
        text = text.replace(sign, f"\\{sign}")
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
